"""The policy as one DuckDB query over households and members; whole fen in 64 bits throughout."""

from collections.abc import Mapping

from benchmarks.population.place_figures import PLACE_COLUMNS, place_rows

PLACES = "SELECT region, area, {figures} FROM (VALUES {rows}) AS written({names})"


def places_query(on: str) -> str:
    """The figures of places in 64 bits, as a query that yields them."""
    rows = (f"('{region}', '{area}', {', '.join(map(str, rest))})" for region, area, *rest in place_rows(on))
    figures = (f"{name}::BIGINT AS {name}" for name in PLACE_COLUMNS[2:])
    return PLACES.format(figures=", ".join(figures), rows=", ".join(rows), names=", ".join(PLACE_COLUMNS))


def query(households: str, members: str, national: Mapping[str, int]) -> str:
    """The eleven outputs of every household, with its id, from a table of households, of members and of `places`.

    Members are grouped once: what hangs on whether the household's destitute persons are set apart is summed for both
    cases, since that is known of the whole household only.
    """
    return QUERY.format(households=households, members=members, **national)


QUERY = """
WITH located AS (
    SELECT households.*, standard, minimum_wage, median_income
    FROM {households} AS households JOIN places USING (region, area)
),
persons AS (
    SELECT
        household, age, wage, business, property, transfer, exempt, self_care_failures, standard, minimum_wage,
        grade >= 1 AND grade <= CASE WHEN disability IN ('intellectual', 'mental') THEN 3 ELSE 2 END AS severe,
        work_ability, student
    FROM {members} AS members JOIN located ON located.id = members.household
),
counted AS (
    SELECT
        household, standard, severe, age,
        greatest(
            wage - least(wage * {work_cost_rate} // 10000, standard)
            - CASE WHEN age >= 60 OR severe THEN minimum_wage * {protected_wage_share} // 10000 ELSE 0 END, 0
        )
        + (2 * business * {business_share} + 10000) // 20000
        + property
        + greatest(transfer - exempt, 0)
        + CASE WHEN work_ability = 'able' AND age >= 18 AND age < 60 AND NOT student AND NOT severe AND wage = 0
              AND business = 0
          THEN minimum_wage * {imputed_share} // 1000000 * 100 ELSE 0 END AS own,
        age >= 60 OR age < 16 OR severe OR work_ability = 'none' AS unable,
        (standard * {tekun_multiplier} + 999999) // 1000000 * 100
        + (minimum_wage * CASE WHEN self_care_failures >= 4 THEN {care_share_full}
            WHEN self_care_failures >= 1 THEN {care_share_half} ELSE {care_share_self} END + 999999)
          // 1000000 * 100 AS support
    FROM persons
),
judged AS (
    SELECT
        household, own, severe, support,
        unable AND own < standard AS destitute,
        age >= 70 OR age < 18 OR severe AS entitled,
        CASE WHEN severe THEN (greatest(standard - own, 0) + 9) // 10 * 10 ELSE 0 END AS alone
    FROM counted
),
summed AS (
    SELECT
        household,
        count(*) AS people,
        bool_or(severe) AS anyone_severe,
        sum(own)::BIGINT AS income_all,
        sum(CASE WHEN destitute THEN 0 ELSE own END)::BIGINT AS income_rest,
        sum(destitute::INT)::BIGINT AS destitutes,
        sum(CASE WHEN destitute THEN support ELSE 0 END)::BIGINT AS support,
        sum(entitled::INT)::BIGINT AS entitled_all,
        sum((entitled AND NOT destitute)::INT)::BIGINT AS entitled_rest,
        sum(alone)::BIGINT AS alone_all,
        sum(CASE WHEN destitute THEN 0 ELSE alone END)::BIGINT AS alone_rest
    FROM judged GROUP BY household
),
assets AS (
    SELECT
        located.*, summed.*,
        people * CASE WHEN people <= 2 THEN {asset_months_small} ELSE {asset_months} END AS asset_base,
        company_capital <= {company_capital_max} AS no_large_company,
        1 + (people >= 5)::INT AS homes_allowed
    FROM summed JOIN located ON located.id = summed.household
),
within AS (
    SELECT
        *,
        financial <= standard * asset_base AND cars <= anyone_severe::INT AND homes <= homes_allowed
            AND no_large_company AS assets_ok,
        financial <= standard * asset_base * {margin_asset_multiplier} // 10000 AND cars <= 1 + anyone_severe::INT
            AND homes <= homes_allowed + 1 AND no_large_company AS wider_ok
    FROM assets
),
apart AS (
    SELECT
        *,
        no_supporter AND assets_ok AS sets_apart,
        CASE WHEN no_supporter AND assets_ok THEN income_rest ELSE income_all END AS income,
        CASE WHEN no_supporter AND assets_ok THEN people - destitutes ELSE people END AS remaining
    FROM within
),
headed AS (
    SELECT
        *,
        income // greatest(remaining, 1) AS per_head,
        remaining > 0 AND assets_ok AND income < standard * remaining AS has_dibao
    FROM apart
),
margins AS (
    SELECT
        *,
        remaining > 0 AND NOT has_dibao AND wider_ok AND per_head < standard * {margin_multiplier} // 10000 AS margin,
        CASE WHEN sets_apart THEN support ELSE 0 END AS tekun,
        CASE WHEN has_dibao THEN greatest((standard * remaining - income + 9) // 10 * 10, {dibao_floor}) ELSE 0 END
            AS dibao,
        CASE WHEN has_dibao THEN (2 * standard * {supplement_share} + 10000) // 20000
            * CASE WHEN sets_apart THEN entitled_rest ELSE entitled_all END ELSE 0 END AS supplement,
        CASE WHEN per_head < median_income THEN (2 * least(standard * people * CASE
            WHEN emergency IN ('fire', 'disaster') THEN {emergency_months}
            WHEN emergency IN ('traffic_accident', 'sudden_illness') THEN 1 ELSE 0 END, {emergency_cap}) + 100)
            // 200 * 100 ELSE 0 END AS emergency_aid
    FROM headed
),
singles AS (
    SELECT *, CASE WHEN margin THEN CASE WHEN sets_apart THEN alone_rest ELSE alone_all END ELSE 0 END AS single
    FROM margins
)
SELECT
    id,
    income AS household_income,
    per_head AS income_per_head,
    assets_ok,
    tekun,
    dibao,
    supplement,
    margin,
    single,
    remaining > 0 AND NOT has_dibao AND NOT margin AND per_head < median_income AND wider_ok
        AND medical + education > 0 AND (medical + education) * 10000 >= income * 12 * {rigid_ratio} AS rigid,
    emergency_aid AS emergency,
    tekun + dibao + supplement + single AS monthly_total
FROM singles
"""
