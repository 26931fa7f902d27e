"use strict";
(() => {
  const themes = JSON.parse(document.getElementById("themes").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  // Buttons are listed: Plotly's own choice has one that uploads the figure.
  const config = (data) => ({
    responsive: true, displaylogo: false, plotlyServerURL: "", toImageButtonOptions: {format: "svg"},
    modeBarButtons: data.some((trace) => trace.type === "parcoords")
      ? [["toImage"]] : [["toImage"], ["zoom2d", "pan2d", "resetScale2d"]],
  });
  const PAPER = 680; // pixels across a printed page
  const theme = (printing) => (dark.matches && !printing ? themes.dark : themes.light);
  const plots = [...document.querySelectorAll(".plot")];

  // Each figure is drawn when it comes near the screen, so that the page opens at once however many there are.
  const draw = (plot) => {
    if (plot.dataset.drawn) return;
    plot.dataset.drawn = "yes";
    const {data, layout} = JSON.parse(plot.nextElementSibling.textContent);
    // A finger scrolls the page; a mouse marks a part to enlarge.
    const dragmode = matchMedia("(pointer: coarse)").matches ? false : "zoom";
    Plotly.newPlot(plot, data, {...layout, dragmode, template: theme(false)}, config(data));
    if (plot.closest("figure").querySelector('button.log[aria-pressed="true"]')) setLog(plot, true);
  };
  const near = new IntersectionObserver((entries) => {
    for (const {isIntersecting, target} of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      draw(target);
    }
  }, {rootMargin: "400px"});
  plots.forEach((plot) => near.observe(plot));

  const drawn = () => plots.filter((plot) => plot.dataset.drawn);
  dark.addEventListener("change", () => drawn().forEach((plot) => Plotly.relayout(plot, {template: theme(false)})));

  // Bands that reach zero have other points on a logarithmic axis.
  const setLog = (plot, on) => {
    plot.data.forEach((trace, index) => {
      if (!trace.meta || !trace.meta.log_y) return;
      plot.linear = plot.linear || {};
      plot.linear[index] = plot.linear[index] || trace.y;
      Plotly.restyle(plot, {y: [on ? trace.meta.log_y : plot.linear[index]]}, [index]);
    });
    Plotly.relayout(plot, {"yaxis.type": on ? "log" : "linear", "yaxis.autorange": true});
  };
  for (const button of document.querySelectorAll("button.log")) {
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      const plot = button.closest("figure").querySelector(".plot");
      draw(plot);
      setLog(plot, on);
      button.setAttribute("aria-pressed", String(on));
    });
  }

  // A cell counts by the number it begins with; cells without one are sorted as text, a dash comes last.
  const key = (row, column) => {
    const text = row.cells[column].textContent.trim();
    const number = text.replace("−", "-").match(/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?/i);
    return {text, number: number ? parseFloat(number[0]) : null, missing: text === "–" || text === ""};
  };
  const compare = (a, b, sign) => {
    if (a.missing !== b.missing) return a.missing ? 1 : -1;
    const byNumber = a.number !== null && b.number !== null && a.number !== b.number;
    return sign * (byNumber ? a.number - b.number : a.text.localeCompare(b.text, "en", {numeric: true}));
  };
  for (const button of document.querySelectorAll("th button")) {
    button.addEventListener("click", () => {
      const header = button.parentElement, table = header.closest("table"), body = table.tBodies[0];
      const sign = header.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
      header.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      const rows = [...body.rows].map((row) => [key(row, header.cellIndex), row]);
      rows.sort((a, b) => compare(a[0], b[0], sign));
      body.append(...rows.map(([, row]) => row));
    });
  }

  const closed = [];
  addEventListener("beforeprint", () => {
    document.querySelectorAll("details:not([open])").forEach((one) => { closed.push(one); one.open = true; });
    plots.forEach(draw);
    plots.forEach((plot) => Plotly.relayout(plot, {template: theme(true), width: PAPER, autosize: false}));
  });
  addEventListener("afterprint", () => {
    closed.splice(0).forEach((one) => { one.open = false; });
    plots.forEach((plot) => Plotly.relayout(plot, {template: theme(false), width: null, autosize: true}));
  });
})();
