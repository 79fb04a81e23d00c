"""The style sheet of a report: light, dark, and on paper."""

STYLE = """
:root { --ink: #1c2126; --soft: #5d6873; --line: #dfe3e8; --page: #ffffff; --card: #f5f7f9; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #e4e8ec; --soft: #98a3ae; --line: #323a42; --page: #14181c; --card: #1d2329; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1160px; padding: 28px 32px 60px; color: var(--ink);
  background: var(--page); font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; }
header p { margin: 0; color: var(--soft); font-size: 13px; letter-spacing: .06em;
  text-transform: uppercase; }
h1 { margin: 0 0 18px; font-size: 30px; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 44px 0 12px; padding-bottom: 6px; font-size: 20px;
  border-bottom: 1px solid var(--line); }
svg, video { display: block; width: 100%; height: auto; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: 12px;
  margin: 0 0 20px; padding: 0; list-style: none; }
.tiles li { padding: 12px 16px; border-radius: 8px; background: var(--card); }
.tiles b { font-size: 26px; font-weight: 600; }
.tiles span, .tiles small { display: block; line-height: 1.35; }
.tiles small { color: var(--soft); font-size: 12.5px; }
.pair { display: grid; grid-template-columns: minmax(0, 640px) minmax(0, 1fr); gap: 28px; }
.video { border-radius: 8px; background: var(--card); }
p.video { margin: 0; padding: 16px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 5px 16px; margin: 0;
  align-content: start; font-size: 14px; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; font-size: 14px;
  font-variant-numeric: tabular-nums; }
th, td { padding: 4px 18px 4px 0; text-align: right; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-weight: 500; vertical-align: bottom; }
th:first-child { text-align: left; font-weight: 500; }
.beside { display: grid; grid-template-columns: max-content minmax(220px, 1fr); gap: 0 44px;
  margin-top: 10px; }
.beside .note { max-width: 460px; margin-top: 6px; }
.note { max-width: 860px; margin: 8px 0 0; color: var(--soft); font-size: 13.5px; }
details { margin: 8px 0; }
summary { cursor: pointer; }
pre { max-height: 480px; overflow: auto; padding: 14px; border-radius: 8px; font-size: 12.5px;
  background: var(--card); white-space: pre-wrap; overflow-wrap: anywhere; }
@media (max-width: 900px) { .pair, .beside { grid-template-columns: 1fr; } }
@media print {
  body { max-width: none; padding: 0; font-size: 11pt; }
  .tiles li, .video, pre { border: 1px solid var(--line); }
  svg, table, .tiles { break-inside: avoid; }
  h2 { break-after: avoid; }
}
"""
