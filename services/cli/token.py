"""`doudi token`: a token for trying things out, signed with the development key that production refuses."""

from datetime import timedelta
from typing import Annotated

import typer

from services.cli.migrate import data_dir
from services.cli.output import print_json, refuse
from services.cli.provision import DEVELOPMENT_ISSUER, DEVELOPMENT_KEY_ID, DEVELOPMENT_ROLES, development_key
from services.shared.runtime.callers import issue_token
from services.shared.runtime.clock import system_now
from services.shared.vocabulary.actor import NATION, Actor
from services.shared.vocabulary.region import is_region_code

MAX_HOURS = 24


def development_token(role: str, subject: str, regions: tuple[str, ...] = (NATION,), hours: int = 8) -> str:
    """A bearer token of the issuer `development`."""
    actor = Actor(subject, frozenset({role}), regions)
    key = development_key(data_dir())
    return issue_token(key, DEVELOPMENT_KEY_ID, DEVELOPMENT_ISSUER, actor, system_now(), timedelta(hours=hours))


def token(
    role: Annotated[str, typer.Argument(help="One of: " + ", ".join(DEVELOPMENT_ROLES))],
    subject: Annotated[str, typer.Option(help="Who the token speaks for.")] = "",
    region: Annotated[list[str] | None, typer.Option(help="GB/T 2260 code; repeat for more. Default: all.")] = None,
    hours: Annotated[int, typer.Option(min=1, max=MAX_HOURS, help="How long it is valid.")] = 8,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Print a bearer token for ROLE, signed with the development key; production refuses it."""
    if role not in DEVELOPMENT_ROLES:
        refuse("没有这个角色 / no such role; use one of: " + ", ".join(DEVELOPMENT_ROLES))
    if not all(map(is_region_code, region or ())):
        refuse("--region 应为六位行政区划代码 / must be six digits, a GB/T 2260 code")
    try:
        signed = development_token(role, subject or f"{role}-1", tuple(region or (NATION,)), hours)
    except FileNotFoundError:
        refuse("没有开发密钥，请先运行 doudi migrate / no development key yet: run doudi migrate first")
    except ValueError:
        refuse("开发密钥无法读取，删除后运行 doudi migrate / the development key is damaged: delete it, doudi migrate")
    if as_json:
        print_json({"token": signed})
    else:
        typer.echo(signed)
