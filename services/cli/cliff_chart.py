"""Draws a household's curve as SVG: what it has, and what aid is of it, as an income grows; cliffs in red."""

from collections.abc import Callable, Sequence

from services.eligibility.domain.cliffs import Curve, Point
from services.shared.vocabulary.money import yuan_of

WIDTH, HEIGHT, MARGIN = 720, 420, 60


def chart_of(curve: Curve) -> str:
    """The chart as one SVG document that needs nothing else."""
    most_income = max(curve.points[-1].income_fen, 1)
    most = max(1, *(point.disposable_fen for point in curve.points))

    def x(point: Point) -> int:
        return MARGIN + point.income_fen * (WIDTH - 2 * MARGIN) // most_income

    def y(fen: int) -> int:
        return HEIGHT - MARGIN - fen * (HEIGHT - 2 * MARGIN) // most

    bottom, right = HEIGHT - MARGIN, WIDTH - MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<path d="M{MARGIN},{MARGIN}V{bottom}H{right}" fill="none" stroke="#444"/>',
        _line(curve.points, x, lambda point: y(point.disposable_fen), "#1b5e9e"),
        _line(curve.points, x, lambda point: y(point.support_fen), "#2e7d32"),
    ]
    for cliff in curve.cliffs:
        at, top = x(cliff.at), y(cliff.at.disposable_fen)
        fall = y(cliff.beyond.disposable_fen)
        label = f"{yuan_of(cliff.at.income_fen)}: −{yuan_of(cliff.loss_fen)}"
        parts.append(f'<path d="M{at},{top}V{fall}" stroke="#c62828" stroke-width="3"/>')
        parts.append(_text(at, top - 8, label, "middle", "#c62828"))
    parts += [
        _text(MARGIN, bottom + 18, "0.00", "middle", "#444"),
        _text(right, bottom + 18, yuan_of(curve.points[-1].income_fen), "middle", "#444"),
        _text(MARGIN - 6, MARGIN + 4, yuan_of(most), "end", "#444"),
        _text(WIDTH // 2, HEIGHT - 16, "收入 / income, 元/月 yuan a month", "middle", "#444"),
        _text(MARGIN, 24, "可支配 / disposable", "start", "#1b5e9e"),
        _text(MARGIN + 190, 24, "待遇 / support", "start", "#2e7d32"),
        _text(MARGIN + 340, 24, "断崖 / cliff", "start", "#c62828"),
    ]
    return "\n".join([*parts, "</svg>", ""])


def _line(points: Sequence[Point], x: Callable[[Point], int], y: Callable[[Point], int], colour: str) -> str:
    path = " ".join(f"{x(point)},{y(point)}" for point in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _text(x: int, y: int, text: str, anchor: str, colour: str) -> str:
    return f'<text x="{x}" y="{y}" font-size="12" text-anchor="{anchor}" fill="{colour}">{text}</text>'
