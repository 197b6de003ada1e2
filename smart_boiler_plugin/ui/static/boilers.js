/* The fleet's power over the price: two panels over one axis of time, the cheapest quarter of it tinted through both. */
"use strict";

sbCharts.draw("load", (data, width) => {
  const narrow = width < 560, left = narrow ? 40 : 52, right = narrow ? 6 : 10;
  const bottom = narrow ? { top: 200, height: 62 } : { top: 166, height: 56 };
  const upper = narrow ? { top: 30, height: 126 } : { top: 30, height: 94 };
  const ends = { min: data.start, max: data.start + data.price.length * data.step };
  const clock = (moment) => sbCharts.clock(moment, data.zone, data.language);
  const every = (narrow ? 12 : 4) * 3600e3;

  const tinted = {
    silent: true,
    itemStyle: { color: "#e2f0e6", opacity: 1 },
    data: data.cheap.map(([from, until]) => [{ xAxis: from }, { xAxis: until }]),
  };
  const mark = (x, color, text) => ({
    xAxis: x,
    lineStyle: { color, type: "solid", width: 1.3 },
    label: { formatter: text, position: "end", distance: 4, color, fontSize: 12, fontFamily: "Poppins, sans-serif", align: "left", offset: [0, 0] },
  });
  const days = data.days.filter((day) => Math.abs(day.at - data.now) > (narrow ? 11 : 3) * 3600e3);
  const marks = {
    silent: true,
    symbol: "none",
    data: [mark(data.now, sbCharts.INK, `now ${clock(data.now)}`), ...days.map((day) => mark(day.at, sbCharts.MUTED, narrow ? day.name.slice(0, 3) : day.name))],
  };
  const bare = { ...marks, data: marks.data.map((line) => ({ ...line, label: { show: false } })) };
  const line = (name, values, style, more = {}) => ({
    name, type: "line", step: "end", symbol: "none", data: sbCharts.steps(data.start, data.step, values), lineStyle: style, ...more,
  });
  const ahead = data.planned.map((value, number) => (data.start + (number + 1) * data.step > data.now ? value : null));
  const least = cheapest(data);

  const series = [
    line("metered", data.metered, { color: "#b45f06", width: 1.5 }, { areaStyle: { color: "#f6c476", opacity: 0.75 }, markArea: tinted, markLine: marks }),
    line("ahead", ahead, { width: 0 }, { areaStyle: { color: "#1a3443", opacity: 0.13 } }),
    line("planned", data.planned, { color: "#1a3443", width: 1.8 }),
    line("price", data.price, { color: "#52616b", width: 1.6 }, { xAxisIndex: 1, yAxisIndex: 1, markArea: tinted, markLine: bare,
      markPoint: least ? { silent: true, symbol: "circle", symbolSize: 6, itemStyle: { color: "#1b6438" },
        label: { show: true, position: "top", distance: 4, formatter: least.text, color: "#1b6438", fontSize: 12 },
        data: [{ coord: [least.at, least.value] }] } : undefined }),
  ];
  const grid = [{ left, right, ...upper }, { left, right, ...bottom }];
  const axis = (index, shown) => sbCharts.timeAxis({
    ...ends, gridIndex: index, minInterval: every, maxInterval: every,
    axisLabel: { ...sbCharts.TIMES, show: shown, showMinLabel: false, showMaxLabel: false, formatter: clock },
  });
  return {
    grid,
    xAxis: [axis(0, false), axis(1, true)],
    yAxis: [
      sbCharts.valueAxis("kW", { gridIndex: 0, splitNumber: 3 }),
      sbCharts.valueAxis(narrow ? data.priceName.split(",")[0] : data.priceName, { gridIndex: 1, splitNumber: 2, min: (range) => Math.min(0, Math.floor(range.min)),
        nameTextStyle: { ...sbCharts.TEXT, align: "left", padding: [0, 0, 0, -left + 6] } }),
    ],
    series,
  };
});

/** The cheapest quarter ahead; nothing where no price is known. */
function cheapest(data) {
  let found = null;
  data.price.forEach((value, number) => {
    const at = data.start + number * data.step;
    if (value !== null && at + data.step > data.now && (!found || value < found.value)) found = { at: at + data.step / 2, value };
  });
  const unit = data.priceName.split("/")[0];
  return found && { ...found, text: `${Math.round(found.value * 10) / 10} ${unit}` };
}
