"use strict";

const tip = document.getElementById("tip");
let current = null;

function show(mark) {
  if (current) current.classList.remove("current");
  current = mark;
  tip.hidden = !mark;
  if (!mark) return;
  mark.classList.add("current");
  if (tip.textContent !== mark.dataset.tip) tip.textContent = mark.dataset.tip;
  const at = mark.getBoundingClientRect();
  const x = at.left + at.width / 2 - tip.offsetWidth / 2;
  const y = at.top - tip.offsetHeight - 8;
  tip.style.left = Math.max(8, Math.min(x, document.documentElement.clientWidth - tip.offsetWidth - 8)) + "px";
  tip.style.top = (y > 8 ? y : at.bottom + 8) + "px";
}

for (const chart of document.querySelectorAll("figure svg")) {
  chart.addEventListener("pointerover", (event) => show(event.target.closest("[data-tip]")));
  chart.addEventListener("pointerleave", () => show(null));
}

// Left and right go along a curve, up and down from one to the next.
for (const chart of document.querySelectorAll("svg[tabindex]")) {
  const shown = () => [...chart.querySelectorAll(".series:not(.off)")].map((one) => [...one.querySelectorAll("[data-tip]")]);
  let curve = 0, point = 0;
  const move = (curves, points) => {
    const series = shown();
    if (!series.length) return show(null);
    curve = (curve + curves + series.length) % series.length;
    point = Math.max(0, Math.min(point + points, series[curve].length - 1));
    show(series[curve][point]);
  };
  chart.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (event.key === "Escape") show(null);
    if (!step) return;
    event.preventDefault();
    move(...step);
  });
  chart.addEventListener("focus", () => { if (chart.matches(":focus-visible")) move(0, 0); });
  chart.addEventListener("blur", () => show(null));
}

for (const button of document.querySelectorAll(".legend button")) {
  const drawn = [...document.querySelectorAll("figure .series")].filter((one) => one.dataset.name === button.dataset.name);
  const mark = (name, on) => drawn.forEach((one) => {
    one.classList.toggle(name, on);
    one.closest("svg").classList.toggle("choosing", name === "above" && on);
  });
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", on);
    mark("off", !on);
  });
  for (const event of ["pointerenter", "focus"]) button.addEventListener(event, () => mark("above", true));
  for (const event of ["pointerleave", "blur"]) button.addEventListener(event, () => mark("above", false));
}

addEventListener("scroll", () => show(null), { passive: true });
