/** The look of the HTML report: paper and ink, colour only where it means something, light and dark, and for print. */

const LIGHT = `--paper:#f7f5f0;--card:#fffdfa;--ink:#1d2129;--soft:#565d69;--rule:#e1dcd1;--track:#e9e5db;
--red:#b3261e;--red-bg:#fbeae7;--amber:#855000;--amber-bg:#faf0dc;--green:#1b6b3d;--green-bg:#e6f2e8;
--blue:#2a5788;--loss:#f0b9b1;--profit:#a9d8b6;--secured:#6fbd88;--dead:#8b8f98`;

const DARK = `--paper:#14161a;--card:#1c1f25;--ink:#eceae4;--soft:#a9b0bc;--rule:#30353e;--track:#2b3038;
--red:#ff9a90;--red-bg:#3a1f1e;--amber:#f3bf62;--amber-bg:#352a15;--green:#84d6a0;--green-bg:#182d20;
--blue:#93bff0;--loss:#7d3a35;--profit:#2c6842;--secured:#3f9a5f;--dead:#767b85`;

export const STYLE = `
:root{color-scheme:light dark;${LIGHT}}
@media (prefers-color-scheme:dark){:root{${DARK}}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums}
main,header,footer{max-width:1120px;margin:0 auto;padding:0 24px}
header{padding-top:44px}
.kicker{margin:0;color:var(--soft);font-size:13px}
h1{margin:6px 0 22px;font:500 clamp(26px,4.2vw,40px)/1.15 "Iowan Old Style","Palatino Linotype",Palatino,Georgia,"DejaVu Serif",serif;letter-spacing:-.01em;text-wrap:balance}
h2{margin:44px 0 14px;font-size:15px;font-weight:650;display:flex;gap:10px;align-items:baseline}
h2 small{font-size:13px;font-weight:400;color:var(--soft)}
h3{margin:0;font-size:17px;font-weight:650;overflow-wrap:anywhere}
.tiles{display:flex;flex-wrap:wrap;margin:0;padding:0;border-block:1px solid var(--rule)}
.tiles div{min-width:96px;padding:14px 30px 13px 0;white-space:nowrap}
.tiles dt{color:var(--soft);font-size:13px}
.tiles dd{margin:0;font-size:28px;line-height:1.2;font-weight:600}
.tiles .bad dd{color:var(--red)}.tiles .watch dd{color:var(--amber)}.tiles .good dd{color:var(--green)}
.blind{margin:28px 0 0;padding:18px 22px;border-radius:8px;background:var(--red-bg);border:2px solid var(--red)}
.blind h2{margin:0 0 6px;color:var(--red);font-size:17px}
.blind p{margin:0 0 6px}.blind ul{margin:0;padding-left:20px}
.notes{margin:22px 0 0;padding:0;list-style:none}
.notes li,.findings li{padding-left:14px;border-left:3px solid var(--rule);margin-top:8px;overflow-wrap:anywhere}
li.critical{border-color:var(--red)}li.warning{border-color:var(--amber)}
code{font:600 13px/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
li.critical code{color:var(--red)}li.warning code{color:var(--amber)}li.info code{color:var(--soft)}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,440px),1fr));gap:16px}
.card{min-width:0;padding:18px 20px 16px;background:var(--card);border:1px solid var(--rule);border-radius:8px;break-inside:avoid}
.card.critical{border-top:3px solid var(--red)}.card.warning{border-top:3px solid var(--amber)}.card.changed{border-top:3px solid var(--green)}
.top{display:flex;justify-content:space-between;align-items:baseline;gap:12px;flex-wrap:wrap}
.side{font-weight:400;color:var(--soft)}
.pill{padding:1px 10px;border-radius:99px;font-size:13px;font-weight:600;white-space:nowrap;background:var(--track);color:var(--ink)}
.pill.bad{background:var(--red-bg);color:var(--red)}.pill.watch{background:var(--amber-bg);color:var(--amber)}.pill.good{background:var(--green-bg);color:var(--green)}
.facts{margin:4px 0 14px;color:var(--soft);font-size:13px;overflow-wrap:anywhere}
.facts b{font-weight:600;color:var(--ink)}
.scroll{overflow-x:auto}
.line{display:block;min-width:300px;overflow:visible}
td .line{min-width:150px}
.line text{text-anchor:middle;font-size:12px}
.line .name{font-size:11px;fill:var(--soft)}
.line .price{fill:var(--ink);font-weight:600}
.is-stop,.is-planned-stop{fill:var(--red)!important}.is-target,.is-planned-target{fill:var(--green)!important}
.track{fill:var(--track)}.leader{stroke:var(--soft);stroke-width:1;opacity:.55}
.zone-loss{fill:var(--loss)}.zone-profit{fill:var(--profit)}.zone-secured{fill:var(--secured)}
.zone-planned{fill:var(--profit);opacity:.5}.zone-dead{fill:url(#dead)}.zone-open{fill:url(#open)}
.ink-open{stroke:var(--red)}.bed-open{fill:var(--red-bg)}.ink-dead{stroke:var(--dead)}.bed-dead{fill:var(--track)}
.m-stop,.m-planned-stop{stroke:var(--red);stroke-width:3}.m-target,.m-planned-target{stroke:var(--green);stroke-width:3}
.m-planned-stop,.m-planned-target{stroke-dasharray:3 2.5}
.m-liquidation{stroke:var(--ink);stroke-width:2}
.m-mark{fill:var(--blue);stroke:var(--card);stroke-width:2}.m-entry{fill:var(--card);stroke:var(--ink);stroke-width:2}
.findings,.steps{margin:14px 0 0;padding:0;list-style:none;font-size:14px}
.steps li{padding-left:20px;text-indent:-20px;margin-top:6px;overflow-wrap:anywhere}
.steps li::before{content:"→";display:inline-block;width:20px;text-indent:0;color:var(--soft)}
.steps .confirmed{color:var(--green)}.steps .refused,.steps .uncertain{color:var(--red)}.steps .skipped{color:var(--amber)}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;margin:26px 0 0;padding:0;list-style:none;color:var(--soft);font-size:13px}
.legend li{display:flex;align-items:center;gap:7px}
.legend svg{flex:none}
table{width:100%;border-collapse:collapse;background:var(--card);border:1px solid var(--rule);border-radius:8px;font-size:14px}
th,td{padding:9px 12px;text-align:left;vertical-align:middle;border-top:1px solid var(--rule)}
thead th{border-top:0;color:var(--soft);font-size:13px;font-weight:500}
tbody th{font-weight:600}
.num{text-align:right;white-space:nowrap}
.sub{display:block;color:var(--soft);font-size:13px;font-weight:400}
.draw{width:24%}
footer{margin-top:44px;padding-top:16px;padding-bottom:44px;color:var(--soft);font-size:13px}
footer p{margin:0 0 6px;max-width:72ch}
.defs{position:absolute}
@media (max-width:860px){
main,header,footer{padding-left:16px;padding-right:16px}
header{padding-top:26px}
table,tbody{display:block}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
tr{display:flex;flex-wrap:wrap;gap:2px 20px;padding:12px 16px;border-top:1px solid var(--rule)}
tbody tr:first-child{border-top:0}
th,td{padding:0;border:0}
tbody th{flex:1 0 100%}
.num{text-align:left}
td[data-title]::before{content:attr(data-title);display:block;color:var(--soft);font-size:12px}
.draw{width:100%;flex:1 0 100%;padding-top:4px}
}
@media (max-width:600px){.tiles div{flex:1 1 33%;padding-right:0}}
@media print{
:root{color-scheme:light;${LIGHT};--paper:#fff;--card:#fff}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
body{font-size:13px}
header{padding-top:0}
.cards{grid-template-columns:1fr 1fr}
tr,.card,.blind{break-inside:avoid}
h2{break-after:avoid}
}
`.trim();
