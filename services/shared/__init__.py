"""What at least two services need: words, the policy engine and the runtime."""
