/** Colours of the picture: custom properties, so that a page can set its own. */
export const svgStyle = `.machine{--paper:#fff;--ink:#1f2328;--soft:#59636e;--box:#f6f8fa;--edge:#8c959f;--quiet:#afb8c1;--spine:#0969da;--taken:#1a7f37}
@media (prefers-color-scheme:dark){.machine{--paper:#0d1117;--ink:#f0f6fc;--soft:#9198a1;--box:#151b23;--edge:#656c76;--quiet:#4c545e;--spine:#4493f8;--taken:#3fb950}}
.machine .box{fill:var(--box);stroke:var(--edge)}
.machine .inner{fill:none;stroke:var(--edge)}
.machine .name,.machine .run{fill:var(--ink);font-weight:600}
.machine .description,.machine .verdict{fill:var(--soft)}
.machine .line{fill:none;stroke:var(--edge);stroke-width:1.3}
.machine .head{fill:var(--edge)}
.machine .label{fill:var(--soft)}
.machine .spine .line,.machine .start .line{stroke:var(--spine);stroke-width:2.2}
.machine .spine .head,.machine .start .head,.machine .start circle{fill:var(--spine)}
.machine .end .line{stroke:var(--quiet);stroke-width:1}
.machine .end .head{fill:var(--quiet)}
.machine.marked .state:not(.visited),.machine.marked .arrow:not(.taken){opacity:.4}
.machine.marked .spine .line{stroke:var(--edge);stroke-width:1.3}
.machine.marked .spine .head{fill:var(--edge)}
.machine.marked .visited .box,.machine.marked .visited .inner{stroke:var(--taken)}
.machine.marked .last .box{stroke-width:3}
.machine.marked .cut .box{stroke-dasharray:6 4}
.machine.marked .taken .line,.machine.marked .start .line{stroke:var(--taken);stroke-width:2.6}
.machine.marked .taken .head,.machine.marked .start .head,.machine.marked .start circle{fill:var(--taken)}
.machine.marked .label.taken{fill:var(--ink)}
.machine .badge rect{fill:var(--taken);stroke:var(--paper);stroke-width:2}
.machine .badge text{fill:var(--paper);font-weight:600}`;
