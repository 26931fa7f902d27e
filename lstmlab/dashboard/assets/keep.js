// A new figure keeps what its reader has zoomed and hidden in the one before it. Plotly's uirevision alone does not: Dash
// draws a figure again right after a zoom, with the new range as its own, and Plotly then forgets that a reader chose it.
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.lstmlab = {
    keep: (figure, id) => {
        const shown = document.getElementById(`place-${id.type}-${id.name}`)?.querySelector('.js-plotly-plot');
        if (!figure || !shown?.layout || shown.layout.uirevision !== figure.layout.uirevision) {
            return figure || window.dash_clientside.no_update;
        }
        const layout = {...figure.layout};
        for (const axis of ['xaxis', 'yaxis']) {
            const before = shown.layout[axis] || {};
            if (before.autorange === false && before.range && !layout[axis]?.range) {
                layout[axis] = {...layout[axis], range: [...before.range], autorange: false};
            }
        }
        const named = (trace) => trace.legendgroup || trace.uid;
        const hidden = new Set(shown.data.filter((trace) => trace.visible === 'legendonly').map(named));
        const data = figure.data.map((trace) => hidden.has(named(trace)) ? {...trace, visible: 'legendonly'} : trace);
        return {...figure, data, layout};
    },
};
