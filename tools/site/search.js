// The search of the site: an index made beforehand, loaded when somebody types.
import MiniSearch from "npm:minisearch@7.2.0";

const root = document.querySelector("script[data-root]").dataset.root;
const input = document.querySelector("input[type=search]");
const found = document.querySelector("#found");
const fields = { fields: ["heading", "text"], storeFields: ["title", "heading", "path"] };
let index;

function load() {
  index ??= fetch(`${root}search.json`).then((response) => response.text())
    .then((text) => MiniSearch.loadJSON(text, fields));
  return index;
}

async function search() {
  const words = input.value.trim();
  const hits = words === "" ? [] : (await load()).search(words, {
    prefix: true,
    fuzzy: 0.15,
    combineWith: "AND",
    boost: { heading: 3 },
  });
  if (input.value.trim() !== words) return;
  found.replaceChildren(
    ...hits.slice(0, 8).map(({ title, heading, path }) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = root + path;
      link.textContent = heading;
      const where = document.createElement("small");
      where.textContent = title;
      item.append(link, where);
      return item;
    }),
  );
  if (words !== "" && hits.length === 0) {
    const item = document.createElement("li");
    item.textContent = "Nothing found.";
    found.append(item);
  }
}

input.disabled = false;
input.addEventListener("input", search);
input.form.addEventListener("submit", (event) => {
  event.preventDefault();
  found.querySelector("a")?.click();
});
// Where there is little room the list of pages waits behind its heading.
if (matchMedia("(max-width: 48rem)").matches) document.querySelector("nav details").open = false;
