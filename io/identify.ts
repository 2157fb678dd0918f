/**
 * What a file is, by its first bytes: for errors of readers that were given something else.
 */

interface Kind {
  readonly what: string;
  readonly advice: string;
  matches(bytes: Uint8Array, text: string): boolean;
}

function begins(...start: readonly number[]): Kind["matches"] {
  return (bytes) => start.every((byte, i) => bytes[i] === byte);
}

const kinds: readonly Kind[] = [
  {
    what: "a Git LFS pointer",
    advice: "fetch the file itself with git lfs pull",
    matches: (_, text) => text.startsWith("version https://git-lfs"),
  },
  {
    what: "an HTML page",
    advice: "download the file itself, not the page about it",
    matches: (_, text) => /^\s*<(!doctype|html|head|\?xml)/i.test(text),
  },
  { what: "a gzip file", advice: "unpack it with gunzip first", matches: begins(0x1f, 0x8b) },
  {
    what: "an HDF5 file (Keras, h5py)",
    advice: "save its arrays with numpy.savez and use loadNpz",
    matches: begins(0x89, 0x48, 0x44, 0x46),
  },
  {
    what: "a .npy file",
    advice: "use loadNpy",
    matches: begins(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59),
  },
  {
    what: "a PNG image",
    advice: "use loadPng",
    matches: begins(0x89, 0x50, 0x4e, 0x47),
  },
  { what: "a JPEG image", advice: "convert it to PNG", matches: begins(0xff, 0xd8, 0xff) },
  { what: "a PDF document", advice: "check the path", matches: begins(0x25, 0x50, 0x44, 0x46) },
  {
    what: "a GGUF file (llama.cpp)",
    advice: "use the safetensors file of the model",
    matches: begins(0x47, 0x47, 0x55, 0x46),
  },
  {
    what: "a zip file",
    advice: "use loadTorch, loadNpz or loadState",
    matches: begins(0x50, 0x4b, 0x03, 0x04),
  },
  {
    what: "a safetensors file",
    advice: "use loadSafetensors or loadState",
    matches: isSafetensors,
  },
  {
    what: "an ONNX model",
    advice: "export the weights as safetensors: ONNX files are only written here",
    // A protobuf that begins with its version, and names who made it.
    matches: (bytes, text) =>
      bytes[0] === 0x08 && bytes[1] < 0x20 && bytes[2] === 0x12 &&
      /^[\x20-\x7e]{2}/.test(text.slice(4)),
  },
  {
    what: "a pickle",
    advice: "use loadTorch",
    matches: (bytes) => bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5,
  },
  {
    what: "JSON text",
    advice: "read it with JSON.parse",
    matches: (_, text) => /^\s*[[{]/.test(text),
  },
];

/** Whether a file begins as safetensors does: a length of eight bytes, and the brace of a header. */
export function isSafetensors(bytes: Uint8Array): boolean {
  return bytes.length >= 9 && bytes[8] === 0x7b && bytes[6] === 0 && bytes[7] === 0;
}

/** What bytes are and what to do, as a sentence's end; `null` if nothing is recognised. */
export function identify(bytes: Uint8Array): string | null {
  if (bytes.length === 0) return "an empty file; check that it was written or downloaded whole";
  const text = new TextDecoder("latin1").decode(bytes.subarray(0, 64));
  const kind = kinds.find(({ matches }) => matches(bytes, text));
  return kind === undefined ? null : `${kind.what}; ${kind.advice}`;
}
