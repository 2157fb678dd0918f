/**
 * What the page may do to a training: hold it, let it go step by step, end it, and switch one thing off.
 */
import { BatchNorm, type Module } from "../../nn/mod.ts";
import type { Optimizer } from "../../optim/mod.ts";

/** The state that the page shows. */
export type RunState = "running" | "paused" | "stopped" | "ended";

/** What the page may ask for. */
export const COMMANDS = ["pause", "step", "continue", "stop"] as const;
/** One of them. */
export type Command = typeof COMMANDS[number];

/** What can be switched off. */
export const SWITCHES = ["none", "lr", "eval", "momentum"] as const;
/** One of them. */
export type Switch = typeof SWITCHES[number];

/** How long a training goes on before it lets others have their turn. */
const TURN_MS = 40;

/** The place between two steps. */
export class Gate {
  /** Told of every change of the state. */
  onState: (state: RunState) => void = () => {};
  #state: RunState = "running";
  /** Steps that are allowed while it is paused. */
  #steps = 0;
  #waiting: (() => void) | null = null;
  #turned = performance.now();
  readonly #switchboard: Switchboard | null;
  #wanted: Switch = "none";

  constructor(model: Module | null, optimizer: Optimizer | null) {
    this.#switchboard = model === null || optimizer === null
      ? null
      : new Switchboard(model, optimizer);
  }

  /** The present state. */
  get state(): RunState {
    return this.#state;
  }

  /** Whether there are switches. */
  get hasSwitches(): boolean {
    return this.#switchboard !== null;
  }

  /** What is switched off, or will be before the next step. */
  get off(): Switch {
    return this.#wanted;
  }

  /** Passes between two steps: at once while running, when allowed while paused; false for the end. */
  async next(): Promise<boolean> {
    if (this.#state === "running" && performance.now() - this.#turned > TURN_MS) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    while (this.#state === "paused" && this.#steps === 0) {
      await new Promise<void>((resolve) => this.#waiting = resolve);
    }
    this.#turned = performance.now();
    if (this.#state === "paused") this.#steps--;
    this.#switchboard?.set(this.#wanted);
    return this.#state !== "stopped";
  }

  /** Does what the page asks for. */
  command(command: Command): void {
    if (this.#state === "stopped" || this.#state === "ended") return;
    if (command === "step") {
      // A step of a running training is its next one, and then it stands.
      this.#steps++;
      this.#set("paused");
    } else {
      this.#steps = 0;
      this.#set(command === "pause" ? "paused" : command === "stop" ? "stopped" : "running");
    }
    this.#wake();
  }

  /** Switches one thing off before the next step, and everything else on. */
  switchOff(what: Switch): void {
    this.#wanted = what;
    this.onState(this.#state);
  }

  /** The training is over. */
  end(): void {
    this.#switchboard?.set("none");
    this.#set("ended");
    this.#wake();
  }

  #wake(): void {
    this.#waiting?.();
    this.#waiting = null;
  }

  #set(state: RunState): void {
    this.#state = state;
    this.onState(state);
  }
}

/** Turns one thing off and remembers how it was. */
class Switchboard {
  readonly #model: Module;
  readonly #optimizer: Optimizer;
  #off: Switch = "none";
  #undo: () => void = () => {};

  constructor(model: Module, optimizer: Optimizer) {
    this.#model = model;
    this.#optimizer = optimizer;
  }

  /** Undoes what was off and turns `what` off. */
  set(what: Switch): void {
    if (what === this.#off) return;
    this.#undo();
    this.#off = what;
    this.#undo = what === "lr"
      ? this.#lrOff()
      : what === "eval"
      ? this.#trainingOff()
      : what === "momentum"
      ? this.#momentumOff()
      : () => {};
  }

  #lrOff(): () => void {
    const groups = this.#optimizer.paramGroups as { lr: unknown }[];
    const rates = groups.map(({ lr }) => lr);
    for (const group of groups) group.lr = 0;
    return () => groups.forEach((group, i) => group.lr = rates[i]);
  }

  #trainingOff(): () => void {
    const { training } = this.#model;
    this.#model.eval();
    return () => void this.#model.train(training);
  }

  #momentumOff(): () => void {
    const layers = this.#model.modules().filter((module) => module instanceof BatchNorm);
    const momenta = layers.map(({ momentum }) => momentum);
    for (const layer of layers) layer.momentum = 0;
    return () => layers.forEach((layer, i) => layer.momentum = momenta[i]);
  }
}
