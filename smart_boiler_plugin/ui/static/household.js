/* The household's two days: temperature, heating and price over one axis of quarters of an hour. */
"use strict";

(() => {
  const DARK = "#1a3443", COLD = "#a3121f", HEAT = "#b45f06", WARM = "rgba(249, 217, 172, .45)";
  const PRICES = { "-1": "#2f7d4f", 0: "#84939d", 1: "#7b3b3b" };
  const TOP = 34, LANE = 16, GAP = 26, NAME = 12, PRICE = 78, BOTTOM = 26;

  /** What stands in a panel over the shared axis. */
  function panel(number, data, narrow, place) {
    return {
      grid: { left: narrow ? 34 : 40, right: 8, ...place },
      xAxis: {
        gridIndex: number,
        type: "category",
        data: data.times,
        axisLine: { show: false },
        axisTick: { show: false },
        axisLabel: { show: false },
        splitLine: { show: false },
        axisPointer: { show: true, type: "line", lineStyle: { color: sbCharts.MUTED }, label: { show: false } },
      },
    };
  }

  function label(text, more = {}) {
    return { show: true, formatter: text, ...sbCharts.TEXT, ...more };
  }

  /** Runs of quarters in which it heats, as areas behind the temperature. */
  function heatedAreas(heats, look = {}) {
    const areas = [];
    heats.forEach((on, at) => {
      if (on && !heats[at - 1]) areas.push([{ xAxis: at, ...look }, { xAxis: at }]);
      // up to the next quarter: an area ends at the middle of its last one
      if (on) areas[areas.length - 1][1].xAxis = Math.min(at + 1, heats.length - 1);
    });
    return areas;
  }

  function told(data, points) {
    const at = points[0].dataIndex, day = at < data.tomorrow ? data.words.today : data.words.tomorrow;
    const number = new Intl.NumberFormat(data.language, { maximumFractionDigits: 1 });
    const lines = [`${day} ${data.times[at]}`];
    if (data.measured[at] !== null && at <= data.now) lines.push(`${data.words.measured}: ${number.format(data.measured[at])}\u00a0°C`);
    else if (data.expected[at] !== null) lines.push(`${data.words.expected}: ${number.format(data.expected[at])}\u00a0°C`);
    if (data.price[at] !== null) lines.push(`${data.words.price}: ${number.format(data.price[at])}\u00a0${data.unit}`);
    if (data.heats[at]) lines.push(data.words.heats);
    return lines.join("\n");
  }

  function option(data, width, height) {
    const narrow = width < 420, every = narrow ? 2 : 1, marks = [];
    const water = height - TOP - GAP - LANE - GAP - NAME - PRICE - BOTTOM;
    const panels = [
      panel(0, data, narrow, { top: TOP, height: water }),
      panel(1, data, narrow, { top: TOP + water + 10, height: LANE }),
      panel(2, data, narrow, { top: height - BOTTOM - PRICE, height: PRICE }),
    ];
    data.labels.forEach((text, at) => { if (text) marks.push(at); });
    const labelled = new Map(marks.filter((_, number) => number % every === 0).map((at) => [at, data.labels[at]]));
    panels[2].xAxis.axisLabel = {
      ...sbCharts.TEXT,
      margin: 10,
      alignMinLabel: "left",
      interval: (at) => labelled.has(at),
      formatter: (text) => text,
      hideOverlap: true,
    };
    const known = [...data.measured, ...data.expected].filter((value) => value !== null);
    const low = Math.floor((Math.min(data.useful - 5, ...known) - 1) / 10) * 10;
    const high = Math.ceil((Math.max(data.useful + 10, ...known) + 1) / 10) * 10;
    const line = { type: "line", symbol: "none", silent: true, connectNulls: false };
    const upright = { symbol: "none", silent: true, animation: false };
    const borders = (named) => [
      { xAxis: data.tomorrow, lineStyle: { color: "#9fb0ba", type: "solid" }, label: label(named ? data.words.tomorrow : "", { position: "end", align: "left", padding: [0, 0, 0, 5] }) },
      { xAxis: data.now, lineStyle: { color: sbCharts.INK, type: "solid", width: 1.5 }, label: label(named ? data.words.now : "", { position: "end", color: sbCharts.INK }) },
    ];
    return {
      grid: panels.map((each) => each.grid),
      xAxis: panels.map((each) => each.xAxis),
      yAxis: [
        { ...sbCharts.valueAxis("°C", { min: low, max: high, interval: 10, nameGap: 16 }), gridIndex: 0 },
        { type: "value", gridIndex: 1, min: 0, max: 1, show: false },
        { ...sbCharts.valueAxis(data.unit, { splitNumber: 2, nameGap: 16, nameTextStyle: { ...sbCharts.TEXT, align: "left", padding: [0, 0, 0, -34] } }), gridIndex: 2 },
      ],
      axisPointer: { link: [{ xAxisIndex: "all" }] },
      tooltip: {
        trigger: "axis",
        renderMode: "richText",
        confine: true,
        backgroundColor: "#fff",
        borderColor: sbCharts.LINE,
        textStyle: { ...sbCharts.TEXT, color: sbCharts.INK },
        formatter: (points) => told(data, points),
      },
      series: [
        {
          ...line,
          xAxisIndex: 0, yAxisIndex: 0,
          data: data.measured,
          lineStyle: { color: DARK, width: 2.4 },
          markArea: { silent: true, itemStyle: { color: WARM }, data: heatedAreas(data.heats) },
          markLine: {
            ...upright,
            data: [
              ...borders(true),
              { yAxis: data.useful, lineStyle: { color: COLD, type: "solid", width: 1.5 }, label: label(data.words.cold, { position: "insideEndBottom", distance: 5, color: COLD }) },
            ],
          },
          markPoint: data.measured[data.now] === null && data.expected[data.now] === null ? {} : {
            silent: true, symbol: "circle", symbolSize: 10, itemStyle: { color: DARK, borderColor: "#fff", borderWidth: 2 }, label: { show: false },
            data: [{ coord: [data.now, data.measured[data.now] ?? data.expected[data.now]] }],
          },
        },
        { ...line, xAxisIndex: 0, yAxisIndex: 0, data: data.expected, lineStyle: { color: DARK, width: 2.2, type: [2, 4], cap: "round" } },
        {
          ...line, xAxisIndex: 1, yAxisIndex: 1, data: data.heats.map(() => null),
          markArea: {
            silent: true,
            data: [
              [{ xAxis: 0, itemStyle: { color: "#eef2f4", borderRadius: 4 } }, { xAxis: data.heats.length - 1 }],
              ...heatedAreas(data.heats, { itemStyle: { color: HEAT, borderRadius: 3 } }),
            ],
          },
        },
        {
          type: "bar", silent: true, xAxisIndex: 2, yAxisIndex: 2, barWidth: "100%",
          data: data.price.map((value, at) => ({ value, itemStyle: { color: PRICES[data.level[at]] } })),
          markLine: { ...upright, data: borders(false) },
        },
      ],
    };
  }

  const place = document.querySelector('[data-chart="sb-two-days"]');
  sbCharts.draw("sb-two-days", (data, width) => option(data, width, place.clientHeight));
})();
