/** Colours of the picture: custom properties, so that a page can set its own. */
export const svgStyle = `.machine{--paper:#fff;--ink:#1f2328;--soft:#59636e;--box:#f6f8fa;--edge:#8c959f;--quiet:#afb8c1;--spine:#0969da}
@media (prefers-color-scheme:dark){.machine{--paper:#0d1117;--ink:#f0f6fc;--soft:#9198a1;--box:#151b23;--edge:#656c76;--quiet:#4c545e;--spine:#4493f8}}
.machine .box{fill:var(--box);stroke:var(--edge)}
.machine .inner{fill:none;stroke:var(--edge)}
.machine .name{fill:var(--ink);font-weight:600}
.machine .description{fill:var(--soft)}
.machine .line{fill:none;stroke:var(--edge);stroke-width:1.3}
.machine .head{fill:var(--edge)}
.machine .label{fill:var(--soft);paint-order:stroke;stroke:var(--paper);stroke-width:3px}
.machine .spine .line{stroke:var(--spine);stroke-width:2.2}
.machine .spine .head{fill:var(--spine)}
.machine .end .line{stroke:var(--quiet);stroke-width:1}
.machine .end .head{fill:var(--quiet)}
.machine .start circle,.machine .start .head{fill:var(--spine)}
.machine .start .line{stroke:var(--spine);stroke-width:2.2}`;
