"""How the month's report looks on screen and on paper (A4)."""

from __future__ import annotations

STYLE = """
@page { size: A4; margin: 18mm 15mm; }
* { box-sizing: border-box; }
body { font: 14px/1.7 "Songti SC", SimSun, "Noto Serif CJK SC", serif; color: #222; max-width: 900px; margin: 24px auto;
  padding: 0 16px; }
h1 { font: 700 24px/1.4 "Heiti SC", SimHei, "Noto Sans CJK SC", sans-serif; text-align: center; margin: 0 0 4px; }
h2 { font: 700 18px/1.4 "Heiti SC", SimHei, "Noto Sans CJK SC", sans-serif; margin: 28px 0 8px;
  border-bottom: 2px solid #1f5fa8; padding-bottom: 4px; }
h3 { font-size: 15px; margin: 16px 0 6px; }
.sub { text-align: center; color: #555; margin: 0 0 12px; }
table { width: 100%; border-collapse: collapse; margin: 8px 0 16px; font-size: 12px;
  font-variant-numeric: tabular-nums; }
th, td { border: 1px solid #999; padding: 3px 6px; text-align: right; }
th { background: #eef3f9; text-align: center; }
td:first-child { text-align: left; }
section:last-of-type td { text-align: left; }
figure { margin: 8px 0 16px; }
figcaption { font-size: 13px; text-align: center; color: #333; }
svg { width: 100%; height: auto; font-family: inherit; }
.good { color: #2c6e1f; } .bad { color: #a32020; }
thead { display: table-header-group; }
tr, figure { break-inside: avoid; }
h2, h3 { break-after: avoid; }
@media print { body { margin: 0; max-width: none; padding: 0; } }
"""
