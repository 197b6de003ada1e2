/* What charts of ours have in common. Data stand in a page as JSON, not as code:
     <div class="sb-chart" data-chart="load" role="img" aria-label="..."></div>
     <script type="application/json" id="load">{...}</script>
   A page's own script says how they are drawn:  sbCharts.draw("load", (data, width) => option);
   Drawn as SVG at the width of the place, anew when that changes; never scaled. */
"use strict";

const sbCharts = (() => {
  const INK = "#1d2b34", MUTED = "#52616b", LINE = "#d8dfe3";
  const TEXT = { fontFamily: "Poppins, sans-serif", fontSize: 12, color: MUTED };
  // below the lowest value of the other axis, which may stand beside the first of them
  const TIMES = { ...TEXT, margin: 13, hideOverlap: true };

  /** Draw a chart with the option that a function makes of its data and the width [px]. */
  function draw(name, optionOf) {
    const place = document.querySelector(`[data-chart="${name}"]`);
    const data = document.getElementById(name);
    if (!place || !data || !window.echarts) return;
    const known = JSON.parse(data.textContent);
    const chart = echarts.init(place, null, { renderer: "svg" });
    const show = () => chart.setOption({ animation: false, textStyle: TEXT, ...optionOf(known, place.clientWidth) }, true);
    show();
    new ResizeObserver(() => { chart.resize(); show(); }).observe(place);
  }

  /** An axis of moments [ms]; tell them by clock(), in the time zone of the reader whatever that of the browser is. */
  function timeAxis(more = {}) {
    return {
      type: "time",
      axisLine: { lineStyle: { color: LINE } },
      axisTick: { show: false },
      splitLine: { show: false },
      axisLabel: TIMES,
      ...more,
    };
  }

  /** An axis of values with few lines. */
  function valueAxis(name, more = {}) {
    return {
      type: "value",
      name,
      nameTextStyle: { ...TEXT, align: "right", padding: [0, 6, 0, 0] },
      nameGap: 16,
      axisLabel: TEXT,
      splitLine: { lineStyle: { color: LINE } },
      ...more,
    };
  }

  /** "14:05" in a time zone. */
  function clock(moment, zone, language) {
    return new Date(moment).toLocaleTimeString(language, { timeZone: zone, hour: "2-digit", minute: "2-digit", hour12: false });
  }

  /** Points of a line that goes in steps: each value holds from its moment until the next. */
  function steps(start, step, values) {
    const points = values.map((value, number) => [start + number * step, value]);
    if (points.length) points.push([start + values.length * step, values[values.length - 1]]);
    return points;
  }

  return { draw, timeAxis, valueAxis, clock, steps, INK, MUTED, LINE, TEXT, TIMES };
})();
