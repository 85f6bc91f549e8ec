"""`doudi pack export` and `doudi pack propose`: packs from the service into a folder, and from a folder to it."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, NoReturn

import httpx
import typer

from services.cli.output import console, print_json, print_table, refuse
from services.eligibility.domain.pack_proposal import FILE_NAME, PACK_ID
from services.eligibility.gateways.pack_folder import MAX_PACKS, read_pack_files
from services.shared.policy.fault import PackFault
from services.shared.policy.pack import fingerprint

Address = Annotated[str, typer.Option(envvar="DOUDI_ELIGIBILITY_URL", help="Where eligibility is reached.")]
Token = Annotated[str, typer.Option(envvar="DOUDI_TOKEN", help="A bearer token; better given in DOUDI_TOKEN.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print as JSON.")]

HERE = "http://127.0.0.1:8101"
PACKS = "/eligibility/v1/policy-packs"
ANSWER_SECONDS = 300.0
"""An examination of the nation's pack takes some ten seconds of a processor that may have more to do."""
PAGE = 100


def export(
    folder: Annotated[Path, typer.Argument(help="A folder that is not there yet, or is empty.")],
    url: Address = HERE,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Write every pack in force into FOLDER, each proven by its hash, for `doudi determine FILE --packs FOLDER`."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        refuse(f"文件夹不是空的 / the folder is not empty: {folder}")
    # Written beside and renamed: half of the packs would give other answers, and no one would see it.
    draft = folder.absolute().with_name(f"{folder.name}.new")
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        with _line_to(url, token) as http:
            written = [_write(draft, _got(http, f"{PACKS}/{pack_id}/{version}")) for pack_id, version in _listed(http)]
        draft.replace(folder)
    except OSError as error:
        refuse(f"无法写入 / cannot be written: {folder} ({error.strerror})")
    if as_json:
        print_json(written)
    else:
        console.print(f"{len(written)} 个规则包已写入 / packs are in {folder}", markup=False)


def propose(
    folder: Annotated[Path, typer.Argument(help="The folder of one pack.")],
    url: Address = HERE,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Propose the pack in FOLDER; it decides nothing until a second person publishes it."""
    try:
        files = {name: content.decode() for name, content in read_pack_files(folder).items()}
    except (PackFault, UnicodeDecodeError) as fault:
        refuse(f"规则包无法读取 / the pack cannot be read: {fault}")
    body = json.dumps({"files": files}, ensure_ascii=False).encode()
    # The same pack sent again gets the same answer.
    headers = {"Idempotency-Key": hashlib.sha256(body).hexdigest(), "Content-Type": "application/json"}
    with _line_to(url, token) as http:
        answer = _answer(http, "POST", PACKS, content=body, headers=headers)
    if as_json:
        print_json(answer)
    else:
        state = f"{answer['id']} {answer['version']} {answer['sha256'][:12]}"
        console.print(f"{state}：已提出，待另一人发布 / proposed; another person is to publish it", markup=False)


def _line_to(url: str, token: str) -> httpx.Client:
    if not token:
        refuse("缺少令牌：export DOUDI_TOKEN=… / no token: export DOUDI_TOKEN=… (doudi token policy_officer)")
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=url, headers=headers, timeout=ANSWER_SECONDS, trust_env=False)


def _listed(http: httpx.Client) -> Iterator[tuple[str, str]]:
    cursor, count = "", 0
    while cursor is not None:
        page = _got(http, PACKS, cursor=cursor, limit=str(PAGE))
        for pack in page["data"]:
            yield pack["id"], pack["version"]
        count, cursor = count + PAGE, page["next"]
        if count > MAX_PACKS:
            refuse(f"规则包超过 {MAX_PACKS} 个 / there are more than {MAX_PACKS} packs")


def _write(folder: Path, pack: Mapping[str, Any]) -> Mapping[str, str]:
    files = {name: text.encode() for name, text in pack["files"].items()}
    # Names become paths here, and must lead nowhere else.
    if not PACK_ID.fullmatch(pack["id"]) or not all(map(FILE_NAME.fullmatch, files)):
        refuse("服务给出的名称不能用作文件名 / the service gave a name that is no file's")
    if fingerprint(files) != pack["sha256"]:
        refuse(f"规则包 {pack['id']} 的内容与其哈希值不符 / pack {pack['id']} has not the hash that it is served under")
    for name, content in files.items():
        path = folder / pack["id"] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return {name: pack[name] for name in ("id", "version", "sha256")}


def _got(http: httpx.Client, path: str, **query: str) -> Any:
    return _answer(http, "GET", path, params=query)


def _answer(http: httpx.Client, method: str, path: str, **options: Any) -> Any:
    try:
        answer = http.request(method, path, **options)
        said = answer.json()
    except httpx.HTTPError:
        refuse(f"连不上救助认定服务 / eligibility cannot be reached: {http.base_url}")
    except ValueError:
        refuse(f"该地址不是救助认定服务 / no eligibility service is at this address: {http.base_url}")
    if answer.is_success:
        return said
    _refuse_with(said)


def _refuse_with(problem: Any) -> NoReturn:
    """Say what the service said, each finding in a row."""
    text = problem.get("text", {})
    rows = [
        (e["pack"], e["where"], str(e["column"] or ""), _both(e["problem"]), _both(e["remedy"]))
        for e in problem.get("errors", ())
        if "where" in e
    ]
    if rows:
        columns = ("规则包 / pack", "位置 / where", "列 / column", "问题 / problem", "处理 / remedy")
        print_table("规则包 / packs", columns, rows)
    refuse(_both(text) if text else f"被拒绝 / refused: {problem.get('code', '')}")


def _both(text: Mapping[str, str]) -> str:
    return f"{text['zh']} / {text['en']}"
