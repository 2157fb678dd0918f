/**
 * The page: native inputs, one state, one `render`. The library runs in the worker.
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { callText } from "../script.ts";
import {
  formatHash,
  initialState,
  LARGEST_SEED,
  type PageState,
  parseHash,
  sceneState,
} from "../state.ts";
import { views } from "../views/mod.ts";
import { type State, tableHtml, type View } from "../views/view.ts";
import { announce } from "./announcer.ts";
import { Runner } from "./runner.ts";

let state: PageState = initialState(views);
/** What was last computed for each scene. */
const results = new Map<string, { numbers: unknown; key: string }>();
/** Scenes whose next result is read out, because somebody changed something there. */
const touched = new Set<string>();

function element<T extends HTMLElement = HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

function part(root: Element, name: string): HTMLElement {
  return root.querySelector<HTMLElement>(`[data-part="${name}"]`)!;
}

const shown = new WeakMap<Element, string>();

/** Replaces contents only where they differ, so that nothing flickers or loses the focus. */
function replace(target: HTMLElement, html: string): boolean {
  if (shown.get(target) === html) return false;
  shown.set(target, html);
  target.innerHTML = html;
  return true;
}

const runner = new Runner(new URL("./worker.js", import.meta.url), (answer) => {
  const view = views.find(({ anchor }) => anchor === answer.anchor)!;
  const fault = part(element(view.anchor), "fault");
  fault.hidden = !("error" in answer);
  if ("error" in answer) {
    fault.textContent = answer.error;
    return;
  }
  results.set(view.anchor, { numbers: answer.numbers, key: answer.key });
  draw(view);
});
runner.onWorking = (working) => {
  element("working").textContent = working ? "computing …" : "";
  document.documentElement.dataset.working = String(working);
};

/** Draws what is known of a scene, if it is that of the present state. */
function draw(view: View): void {
  const section = element(view.anchor);
  const known = results.get(view.anchor);
  if (known?.key !== keyOf(view)) return;
  const settings = state.settings[view.anchor];
  const drawn = view.draw(known.numbers, settings, Math.max(240, figureWidth(section)));
  replace(part(section, "takeaway"), drawn.takeaway);
  replace(part(section, "before"), drawn.before ?? "");
  section.querySelectorAll("figure").forEach((figure, i) => {
    const { title, svg, legend, table } = drawn.figures[i];
    part(figure, "title").textContent = title;
    replace(part(figure, "svg"), svg);
    replace(part(figure, "legend"), legend);
    replace(part(figure, "table"), tableHtml(table));
  });
  section.dataset.drawn = known.key;
  if (touched.delete(view.anchor)) announce(part(section, "takeaway").textContent!);
}

function figureWidth(section: Element): number {
  return Math.floor(part(section, "figures").clientWidth);
}

function keyOf(view: View): string {
  return JSON.stringify(sceneState(view, state));
}

/** Shows the present state: inputs at once, figures when the worker has their numbers. */
function render(): void {
  element<HTMLInputElement>("seed").value = String(state.seed);
  for (const view of views) {
    const section = element(view.anchor);
    const settings = state.settings[view.anchor];
    renderInputs(view, section, settings);
    part(section, "call").textContent = callText(sceneState(view, state));
    if (results.get(view.anchor)?.key === keyOf(view)) draw(view);
    else runner.ask({ anchor: view.anchor, state: sceneState(view, state), key: keyOf(view) });
  }
}

function renderInputs(view: View, section: HTMLElement, settings: State): void {
  for (const { key, kind, values, text } of view.controls) {
    const value = settings[key];
    for (const input of section.querySelectorAll<HTMLInputElement>(`[data-key="${key}"]`)) {
      if (kind === "check") input.checked = value === 1;
      else if (kind === "choice") input.checked = Number(input.value) === value;
      else {
        input.value = String(values.indexOf(value));
        input.setAttribute("aria-valuetext", text(value));
        section.querySelector(`output[for="${input.id}"]`)!.textContent = text(value);
      }
    }
  }
  if (view.aside === undefined) return;
  const aside = part(section, "aside");
  const hadFocus = aside.contains(document.activeElement);
  if (!replace(aside, view.aside(settings)) || !hadFocus) return;
  (aside.querySelector<HTMLElement>("[data-focus]") ?? aside.querySelector("button"))?.focus();
}

/** Changes settings of a scene and shows the outcome. */
function set(anchor: string, changes: State): void {
  const { settings } = state;
  state = {
    ...state,
    scene: anchor,
    settings: { ...settings, [anchor]: { ...settings[anchor], ...changes } },
  };
  touched.add(anchor);
  runner.prefer(anchor);
  render();
  keepAddress();
}

function setSeed(seed: number): void {
  state = { ...state, seed };
  touched.add(state.scene || views[0].anchor);
  render();
  keepAddress();
}

let addressTimer: ReturnType<typeof setTimeout> | undefined;

/** Browsers allow the address to change only so often. */
function keepAddress(): void {
  clearTimeout(addressTimer);
  addressTimer = setTimeout(() => history.replaceState(null, "", formatHash(views, state)), 150);
}

function readAddress(): void {
  const { state: read, faults } = parseHash(views, location.hash);
  state = read;
  const fault = element("address-fault");
  fault.hidden = faults.length === 0;
  fault.textContent = `The address was not followed in full: ${faults.join("; ")}.`;
  if (state.scene !== "") runner.prefer(state.scene);
  render();
  if (state.scene !== "") element(state.scene).scrollIntoView();
}

async function copy(button: HTMLElement, text: string): Promise<void> {
  const name = button.textContent!;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    announce("Copied");
  } catch {
    button.textContent = "Cannot copy here: select the text";
    button.closest("section")?.querySelectorAll("details").forEach((d) => {
      if (d.querySelector("pre")) d.open = true;
    });
  }
  setTimeout(() => button.textContent = name, 2500);
}

function listen(): void {
  for (const view of views) {
    const section = element(view.anchor);
    section.addEventListener("input", ({ target }) => {
      const input = target as HTMLInputElement;
      const control = view.controls.find(({ key }) => key === input.dataset.key);
      if (control === undefined) return;
      const value = control.kind === "check"
        ? Number(input.checked)
        : control.kind === "choice"
        ? Number(input.value)
        : control.values[Number(input.value)];
      set(view.anchor, { [control.key]: value });
    });
    section.addEventListener("click", ({ target }) => {
      const button = (target as Element).closest<HTMLElement>("button");
      if (button?.dataset.set !== undefined) set(view.anchor, JSON.parse(button.dataset.set));
      if (button?.dataset.copy !== undefined) {
        copy(button, section.querySelector("pre")!.textContent!);
      }
    });
  }
  element<HTMLInputElement>("seed").addEventListener("change", ({ target }) => {
    const seed = Number((target as HTMLInputElement).value);
    setSeed(Number.isInteger(seed) && seed >= 0 && seed <= LARGEST_SEED ? seed : state.seed);
  });
  element("next-seed").addEventListener("click", () => setSeed((state.seed + 1) % LARGEST_SEED));
  element("reset").addEventListener("click", () => {
    state = { ...initialState(views), scene: state.scene };
    render();
    keepAddress();
    announce("Everything is as in the beginning.");
  });
  const link = element("copy-link");
  link.addEventListener("click", () => {
    copy(link, new URL(formatHash(views, state), location.href).href);
  });
  // A link to a scene keeps the settings of all.
  document.addEventListener("click", (event) => {
    const anchor = (event.target as Element).closest("a")?.getAttribute("href")?.slice(1);
    if (anchor === undefined || !views.some((view) => view.anchor === anchor)) return;
    event.preventDefault();
    state = { ...state, scene: anchor };
    history.pushState(null, "", formatHash(views, state));
    element(anchor).scrollIntoView();
    element(`${anchor}-title`).querySelector("a")!.focus({ preventScroll: true });
  });
  addEventListener("hashchange", readAddress);
  addEventListener("popstate", readAddress);
  let width = document.body.clientWidth;
  new ResizeObserver(() => {
    if (document.body.clientWidth === width) return;
    width = document.body.clientWidth;
    views.forEach(draw);
  }).observe(document.body);
}

listen();
readAddress();
