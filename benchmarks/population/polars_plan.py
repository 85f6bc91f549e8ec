"""The policy as a polars plan over households and members; whole fen in 64 bits throughout."""

from collections.abc import Mapping

import polars as pl

from benchmarks.comparison.referee import Outputs
from benchmarks.population.place_figures import PLACE_COLUMNS, place_rows

RATE = 10_000


def plan(households: pl.LazyFrame, members: pl.LazyFrame, on: str, national: Mapping[str, int]) -> pl.LazyFrame:
    """The eleven outputs of every household, with its id.

    Members are grouped once: what hangs on whether the household's destitute persons are set apart is summed for both
    cases, since that is known of the whole household only.
    """
    located = households.join(_places(on), on=["region", "area"])
    placed = located.select(household="id", standard="standard", minimum_wage="minimum_wage")
    summed = _summed(_judged(members.join(placed, on="household"), national))
    return _decided(located.join(summed, left_on="id", right_on="household"), national)


def _places(on: str) -> pl.LazyFrame:
    rows = pl.LazyFrame(place_rows(on), PLACE_COLUMNS, orient="row")
    return rows.with_columns(pl.col("region", "area").cast(pl.Categorical))


def _judged(persons: pl.LazyFrame, national: Mapping[str, int]) -> pl.LazyFrame:
    col = pl.col
    of_mind = col("disability").is_in(["intellectual", "mental"])
    severe = (col("grade") >= 1) & (col("grade") <= pl.when(of_mind).then(3).otherwise(2))
    failures = col("self_care_failures")
    share = (
        pl.when(failures >= 4)
        .then(national["care_share_full"])
        .when(failures >= 1)
        .then(national["care_share_half"])
        .otherwise(national["care_share_self"])
    )
    unable = (col("age") >= 60) | (col("age") < 16) | col("severe") | (col("work_ability") == "none")
    single = _up(pl.max_horizontal(col("standard") - col("own"), 0), 10)
    return (
        persons.with_columns(severe=severe)
        .with_columns(own=_own_income(national))
        .select(
            "household",
            "own",
            "severe",
            destitute=unable & (col("own") < col("standard")),
            support=_up(col("standard") * national["tekun_multiplier"], RATE * 100) // RATE
            + _up(col("minimum_wage") * share, RATE * 100) // RATE,
            entitled=(col("age") >= 70) | (col("age") < 18) | col("severe"),
            alone=pl.when("severe").then(single).otherwise(0),
        )
    )


def _own_income(national: Mapping[str, int]) -> pl.Expr:
    col = pl.col
    costs = pl.min_horizontal(col("wage") * national["work_cost_rate"] // RATE, "standard")
    is_protected = (col("age") >= 60) | col("severe")
    protected = pl.when(is_protected).then(col("minimum_wage") * national["protected_wage_share"] // RATE).otherwise(0)
    is_idle = (
        (col("work_ability") == "able")
        & col("age").is_between(18, 59)
        & ~col("student")
        & ~col("severe")
        & (col("wage") == 0)
        & (col("business") == 0)
    )
    imputed = col("minimum_wage") * national["imputed_share"] // (RATE * 100) * 100
    return (
        pl.max_horizontal(col("wage") - costs - protected, 0)
        + (2 * col("business") * national["business_share"] + RATE) // (2 * RATE)
        + col("property")
        + pl.max_horizontal(col("transfer") - col("exempt"), 0)
        + pl.when(is_idle).then(imputed).otherwise(0)
    )


def _summed(persons: pl.LazyFrame) -> pl.LazyFrame:
    col = pl.col
    rest = ~col("destitute")
    return (
        persons.with_columns(
            own_rest=col("own") * rest,
            support=col("support") * col("destitute"),
            entitled_rest=col("entitled") & rest,
            alone_rest=col("alone") * rest,
        )
        .group_by("household")
        .agg(
            people=pl.len().cast(pl.Int64),
            anyone_severe=col("severe").any(),
            income_all=col("own").sum(),
            income_rest=col("own_rest").sum(),
            destitutes=col("destitute").sum().cast(pl.Int64),
            support=col("support").sum(),
            entitled_all=col("entitled").sum().cast(pl.Int64),
            entitled_rest=col("entitled_rest").sum().cast(pl.Int64),
            alone_all=col("alone").sum(),
            alone_rest=col("alone_rest").sum(),
        )
    )


def _decided(households: pl.LazyFrame, national: Mapping[str, int]) -> pl.LazyFrame:
    col = pl.col
    people, standard = col("people"), col("standard")
    months = pl.when(people <= 2).then(national["asset_months_small"]).otherwise(national["asset_months"])
    spare, homes = col("anyone_severe").cast(pl.Int64), 1 + (people >= 5).cast(pl.Int64)
    no_large_company = col("company_capital") <= national["company_capital_max"]
    wider = col("limit") * national["margin_asset_multiplier"] // RATE
    line = standard * national["margin_multiplier"] // RATE
    spending = col("medical") + col("education")
    gap = standard * col("remaining") - col("household_income")
    each = (2 * standard * national["supplement_share"] + RATE) // (2 * RATE)
    return (
        households.with_columns(limit=standard * people * months)
        .with_columns(
            assets_ok=(col("financial") <= col("limit"))
            & (col("cars") <= spare)
            & (col("homes") <= homes)
            & no_large_company,
            wider_ok=(col("financial") <= wider)
            & (col("cars") <= 1 + spare)
            & (col("homes") <= homes + 1)
            & no_large_company,
        )
        .with_columns(apart=col("no_supporter") & col("assets_ok"))
        .with_columns(
            household_income=_either("income_rest", "income_all"),
            remaining=people - pl.when("apart").then("destitutes").otherwise(0),
            tekun=pl.when("apart").then("support").otherwise(0),
        )
        .with_columns(
            income_per_head=col("household_income") // pl.max_horizontal(col("remaining"), 1),
            has_dibao=(col("remaining") > 0) & col("assets_ok") & (gap > 0),
        )
        .with_columns(
            dibao=pl.when("has_dibao").then(pl.max_horizontal(_up(gap, 10), national["dibao_floor"])).otherwise(0),
            supplement=pl.when("has_dibao").then(each * _either("entitled_rest", "entitled_all")).otherwise(0),
            margin=(col("remaining") > 0) & ~col("has_dibao") & (col("income_per_head") < line) & col("wider_ok"),
            emergency=pl.when(col("income_per_head") < col("median_income")).then(_aid(national)).otherwise(0),
        )
        .with_columns(
            single=pl.when("margin").then(_either("alone_rest", "alone_all")).otherwise(0),
            rigid=(col("remaining") > 0)
            & ~col("has_dibao")
            & ~col("margin")
            & (col("income_per_head") < col("median_income"))
            & col("wider_ok")
            & (spending > 0)
            & (spending * RATE >= col("household_income") * 12 * national["rigid_ratio"]),
        )
        .with_columns(monthly_total=pl.sum_horizontal("tekun", "dibao", "supplement", "single"))
        .select("id", *Outputs._fields)
    )


def _either(apart: str, together: str) -> pl.Expr:
    return pl.when("apart").then(apart).otherwise(together)


def _aid(national: Mapping[str, int]) -> pl.Expr:
    kind = pl.col("emergency")
    months = (
        pl.when(kind.is_in(["fire", "disaster"]))
        .then(national["emergency_months"])
        .when(kind.is_in(["traffic_accident", "sudden_illness"]))
        .then(1)
        .otherwise(0)
    )
    asked = pl.min_horizontal(pl.col("standard") * pl.col("people") * months, national["emergency_cap"])
    return (2 * asked + 100) // 200 * 100


def _up(amount: pl.Expr, unit: int) -> pl.Expr:
    return (amount + (unit - 1)) // unit * unit
