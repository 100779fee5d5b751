/** The documents that readers get, as paths from the repository's root: the READMEs and docs/. */
import { readdirSync } from "node:fs";

const ROOT = new URL("../../", import.meta.url);

export const documents: readonly string[] = [
  ...readdirSync(ROOT).filter((name) => /^README.*\.md$/.test(name)),
  ...readdirSync(new URL("docs/", ROOT))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];
