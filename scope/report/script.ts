/**
 * What the page does by itself: the channel picker, reading values off the lanes, and saving. It is
 * JavaScript in a string, since it runs on the page and not here; without it the page is complete.
 */
export const script = String.raw`
"use strict";
(() => {
  const { record, tables } = JSON.parse(document.getElementById("data").textContent);
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const short = (value) => {
    const size = Math.abs(value);
    if (value === 0) return "0";
    if (size >= 1e5 || size < 1e-3) return value.toExponential(1);
    return String(Number(value.toPrecision(4)));
  };
  const quantities = ["gamma", "beta", "runningMean", "runningVar"];
  const names = { gamma: "γ", beta: "β", runningMean: "running mean", runningVar: "running variance" };
  // The record's series hold a row for each event; the lanes want one channel of it.
  const channels = all("#channel option").map(({ dataset }) => {
    const layer = record.layers[Number(dataset.layer)];
    const place = Number(dataset.place);
    const series = (name) => ({ at: layer.series[name].at, value: layer.series[name].values.map((row) => Number(row[place])) });
    return {
      channel: layer.channels[place],
      series: Object.fromEntries(quantities.map((name) => [name, series(name)])),
      batch: { runningMean: series("batchMean"), runningVar: series("batchVar") },
    };
  });
  let chosen = 0;

  const points = ({ at, value }, from, to) => {
    let found = [];
    for (let i = 0; i < at.length && at[i] <= to; i++) {
      if (at[i] < from) found = [];
      found.push([Math.max(at[i], from), value[i]]);
    }
    return found;
  };
  const redraw = (svg) => {
    const channel = channels[chosen];
    const [from, to, left, right] = ["from", "to", "left", "right"].map((key) => Number(svg.dataset[key]));
    const stairs = "stairs" in svg.dataset;
    const [low, high] = stairs ? [from - 0.4, to + 0.4] : [from, Math.max(to, from + 1)];
    const x = (event) => (left + (event - low) / (high - low) * (right - left)).toFixed(1);
    for (const strip of all(".strip", svg)) {
      const { quantity, top, bottom } = strip.dataset;
      const line = points(channel.series[quantity], from, to);
      const cloud = points(channel.batch[quantity] ?? { at: [], value: [] }, from, to).filter(([at]) => at > from);
      let [least, most] = [Infinity, -Infinity];
      for (const [, value] of [...line, ...cloud]) {
        if (!Number.isFinite(value)) continue;
        least = Math.min(least, value);
        most = Math.max(most, value);
      }
      if (least > most) [least, most] = [0, 1];
      if (least === most) [least, most] = [least - 0.5, most + 0.5];
      const y = (value) =>
        (Number(bottom) - (value - least) / (most - least) * (bottom - top)).toFixed(1);
      let path = "";
      line.forEach(([at, value], i) => {
        path += i === 0 ? "M" + x(at) + "," + y(value) : stairs ? "H" + x(at) + "V" + y(value) : "L" + x(at) + "," + y(value);
      });
      if (line.length > 0) path += "H" + x(to);
      one(".line path", strip)?.setAttribute("d", path);
      put(one(".cloud", strip), cloud, x, y);
      put(one(".marks", strip), line.filter(([at]) => at > from), x, y);
      one(".high text", strip).textContent = short(most);
      one(".low text", strip).textContent = short(least);
      Object.assign(strip.dataset, { low: least, high: most, layerChannel: channel.channel });
    }
  };
  // The marks that are there are moved; more are copied from the first, and what is too many goes.
  const put = (group, values, x, y) => {
    if (group === null || group.children.length === 0) return;
    const marks = [...group.children];
    values.forEach(([at, value], i) => {
      const mark = marks[i] ?? group.appendChild(marks[0].cloneNode(true));
      if (mark.localName === "circle") {
        mark.setAttribute("cx", x(at));
        mark.setAttribute("cy", y(value));
      } else mark.setAttribute("transform", "translate(" + x(at) + "," + y(value) + ")");
    });
    marks.slice(Math.max(values.length, 1)).forEach((mark) => mark.remove());
  };

  const holding = ({ at, value }, event) => {
    let found = null;
    for (let i = 0; i < at.length && at[i] <= event; i++) found = value[i];
    return found;
  };
  const kindOf = (event) => {
    if (record.marks.step.includes(event)) return "● optimizer step";
    const write = record.writes.find(({ at }) => at === event);
    if (write !== undefined) return "written by " + write.by;
    const stretch = record.modes.find(({ from, to }) => from <= event && event <= to);
    return "▲ forward pass" + (stretch === undefined ? "" : " in " + stretch.mode);
  };
  let spoken = 0;
  const read = (event, isPointer) => {
    const reading = one("#reading");
    const channel = channels[chosen];
    const text = (event === 0 ? "start" : "event " + event + ", " + kindOf(event)) + ": " +
      quantities.map((key) => {
        const value = holding(channel.series[key], event);
        return names[key] + " " + (value === null ? "–" : Number(value.toPrecision(6)));
      }).join(", ");
    // A pointer crosses many events; a screen reader hears of those chosen by key.
    reading.setAttribute("aria-live", isPointer ? "off" : "polite");
    clearTimeout(spoken);
    if (isPointer) reading.textContent = text;
    else spoken = setTimeout(() => reading.textContent = text, 200);
    const slider = one("#event");
    slider.value = event;
    slider.setAttribute("aria-valuetext", text);
    for (const svg of all("svg.lanes")) mark(svg, event);
  };
  const mark = (svg, event) => {
    const [from, to, left, right] = ["from", "to", "left", "right"].map((key) => Number(svg.dataset[key]));
    let line = one(".cursor", svg);
    if (line === null) {
      line = document.createElementNS("http://www.w3.org/2000/svg", "line");
      line.setAttribute("class", "cursor");
      line.setAttribute("stroke", "currentColor");
      line.setAttribute("y1", "0");
      line.setAttribute("y2", svg.viewBox.baseVal.height - 34);
      svg.append(line);
    }
    const stairs = "stairs" in svg.dataset ? 0.4 : 0;
    const x = left + (event - from + stairs) / (to - from + 2 * stairs) * (right - left);
    line.setAttribute("visibility", event < from || event > to ? "hidden" : "visible");
    line.setAttribute("x1", x);
    line.setAttribute("x2", x);
  };

  const lanes = all("svg.lanes");
  if (lanes.length > 0 && channels.length > 0) {
    one("#tools").hidden = false;
    const slider = one("#event");
    slider.min = 0;
    slider.max = record.events;
    slider.value = 0;
    slider.addEventListener("input", () => read(Number(slider.value), false));
    one("#channel").addEventListener("change", ({ target }) => {
      chosen = Number(target.value);
      lanes.forEach(redraw);
      one("#lanes-channel").textContent = target.selectedOptions[0].textContent.split(" · ")[0];
      read(Number(slider.value), false);
    });
    for (const svg of lanes) {
      svg.addEventListener("pointermove", (moved) => {
        const box = svg.getBoundingClientRect();
        const [from, to, left, right] = ["from", "to", "left", "right"].map((key) => Number(svg.dataset[key]));
        const across = (moved.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
        const event = Math.round(from + (across - left) / (right - left) * (to - from));
        read(Math.min(Math.max(event, from), to), true);
      });
    }
  }

  const save = (name, type, text) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  const quoted = (text) => /[",\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  const styleOf = () => one("style").textContent.split("* { box-sizing")[0];
  const saves = {
    svg: (id) => {
      const shown = all("svg", document.getElementById(id)).filter((svg) =>
        svg.parentElement.closest("svg") === null && svg.getBoundingClientRect().width > 0);
      const whole = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      let [width, height] = [0, 0];
      for (const svg of shown) {
        const copy = svg.cloneNode(true);
        const box = svg.viewBox.baseVal;
        copy.setAttribute("y", height);
        height += box.height + 8;
        width = Math.max(width, box.width);
        whole.append(copy);
      }
      whole.setAttribute("xmlns", "http://www.w3.org/2000/svg");
      whole.setAttribute("viewBox", "0 0 " + width + " " + height);
      whole.setAttribute("width", width);
      whole.setAttribute("height", height);
      const style = document.createElementNS("http://www.w3.org/2000/svg", "style");
      style.textContent = styleOf().replaceAll(":root", "svg");
      whole.prepend(style);
      save(id + ".svg", "image/svg+xml", new XMLSerializer().serializeToString(whole));
    },
    csv: (id) => {
      const whole = tables?.[id];
      const rows = whole !== undefined
        ? [whole.columns, ...whole.rows]
        : all("tr", document.getElementById(id)).map((row) => [...row.cells].map((cell) => cell.textContent));
      save(id + ".csv", "text/csv", rows.map((row) => row.map((cell) => quoted(String(cell ?? ""))).join(",")).join("\n") + "\n");
    },
    json: () => save("record.json", "application/json", JSON.stringify(record)),
  };
  all(".save").forEach((buttons) => buttons.hidden = false);
  all("[data-save]").forEach((button) =>
    button.addEventListener("click", () => saves[button.dataset.save](button.dataset.of)));
  all("[data-copy]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const code = button.previousElementSibling;
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code);
      }
    });
  });
  addEventListener("beforeprint", () => all("details[data-print]").forEach((one) => one.open = true));
})();
`;
