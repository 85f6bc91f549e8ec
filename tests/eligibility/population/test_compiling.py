"""Machine code that is kept is used as it was written, and made anew where it is not whole."""

import pytest

from services.shared.policy.columns.compiling import Compiled

TEXT = """
define void @run(i64 %groups, ptr %bounds, ptr %arrays) {
  store i64 %groups, ptr %bounds
  ret void
}
"""


@pytest.fixture
def kept(tmp_path):
    Compiled(TEXT, tmp_path)
    [file] = tmp_path.iterdir()
    return file


def test_whole_machine_code_is_kept_as_it_is(kept):
    before = kept.stat()
    Compiled(TEXT, kept.parent)
    assert kept.stat().st_ino == before.st_ino


@pytest.mark.parametrize("damaged", [lambda code: b"", lambda code: code[:-1], lambda code: code[:-1] + b"?"])
def test_machine_code_that_is_not_whole_is_made_anew(kept, damaged):
    whole = kept.read_bytes()
    kept.write_bytes(damaged(whole))
    Compiled(TEXT, kept.parent)
    assert kept.read_bytes() == whole
