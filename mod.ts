export * from "./autograd/mod.ts";
