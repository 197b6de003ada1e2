/* One boiler, today and tomorrow: its temperature between what is useful and its ceiling, its power, and its price.
   What nothing is known of has no panel. */
"use strict";

sbCharts.draw("boiler", (data, width) => {
  const narrow = width < 560, left = narrow ? 40 : 52, right = 10, known = data.series;
  const end = data.start + data.count * data.step, clock = (moment) => sbCharts.clock(moment, data.zone, data.language);
  const every = (narrow ? 12 : 4) * 3600e3;
  const middle = (values) => (values || []).map((value, number) => [data.start + (number + 0.5) * data.step, value]);
  const panels = [];
  if (known.measured || known.expected) panels.push({ name: "°C", height: 150, series: temperature });
  if (known.metered || known.planned) panels.push({ name: "kW", height: 56, series: power });
  if (known.price) panels.push({ name: "ct/kWh", height: 56, series: price });

  function line(name, values, style, more = {}) {
    return { name, type: "line", symbol: "none", data: values, lineStyle: style, connectNulls: false, ...more };
  }
  function level(value, color, type) {
    return { yAxis: value, lineStyle: { color, type, width: 1.5 }, label: { show: false } };
  }
  function temperature() {
    const levels = [level(data.ceiling, "#52616b", [6, 4])];
    if (data.useful) levels.push(level(data.useful, "#a3121f", "solid"));
    return [
      line("measured", middle(known.measured), { color: "#1a3443", width: 2.2 }, { markLine: { silent: true, symbol: "none", data: levels } }),
      line("expected", middle(known.expected), { color: "#10557d", width: 2.2, type: [2, 3] }),
    ];
  }
  function power() {
    return [
      line("metered", sbCharts.steps(data.start, data.step, known.metered || []), { width: 0 }, { step: "end", areaStyle: { color: "#f6c476", opacity: 0.85 } }),
      line("planned", sbCharts.steps(data.start, data.step, known.planned || []), { color: "#1a3443", width: 1.6 }, { step: "end", areaStyle: { color: "#1a3443", opacity: 0.1 } }),
    ];
  }
  function price() {
    return [line("price", sbCharts.steps(data.start, data.step, known.price), { color: "#52616b", width: 1.6 }, { step: "end" })];
  }
  const mark = (x, color, text) => ({ xAxis: x, lineStyle: { color, type: "solid", width: 1.2 },
    label: { show: Boolean(text), formatter: text, position: "end", distance: 4, color, fontSize: 12, fontFamily: "Poppins, sans-serif", align: "left" } });

  let top = 30;
  const option = { grid: [], xAxis: [], yAxis: [], series: [] };
  panels.forEach((panel, index) => {
    option.grid.push({ left, right, top, height: panel.height });
    top += panel.height + 40;
    option.xAxis.push(sbCharts.timeAxis({ gridIndex: index, min: data.start, max: end, minInterval: every, maxInterval: every,
      axisLabel: { ...sbCharts.TIMES, show: index === panels.length - 1, showMinLabel: false, showMaxLabel: false, formatter: (moment) => (moment > data.start && moment < end ? clock(moment) : "") } }));
    const ends = panel.name === "°C" ? { min: (range) => Math.floor(Math.min(range.min, data.useful || range.min) / 10) * 10, max: Math.ceil((data.ceiling + 1) / 10) * 10 } : {};
    option.yAxis.push(sbCharts.valueAxis(panel.name, { gridIndex: index, splitNumber: panel.height > 100 ? 4 : 2,
      nameTextStyle: { ...sbCharts.TEXT, align: "left", padding: [0, 0, 0, 6 - left] }, ...ends }));
    const lines = panel.series().map((each) => ({ ...each, xAxisIndex: index, yAxisIndex: index }));
    const days = data.days.slice(1).filter((day) => Math.abs(day.at - data.now) > (narrow ? 15 : 4) * 3600e3);
    const marks = [mark(data.now, sbCharts.INK, index === 0 && `now ${clock(data.now)}`), ...days.map((day) => mark(day.at, sbCharts.MUTED, index === 0 && (narrow ? day.name.slice(0, 3) : day.name)))];
    lines.push({ type: "line", data: [[data.start, null]], xAxisIndex: index, yAxisIndex: index, symbol: "none", markLine: { silent: true, symbol: "none", data: marks } });
    option.series.push(...lines);
  });
  return option;
});
