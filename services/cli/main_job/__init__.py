"""The main job: households go in on days of the test clock, and payments come out that an auditor can prove."""
