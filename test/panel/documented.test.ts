/** docs/operation.md and its twin name what there is. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { ask, startPanel } from "./support.ts";

const page = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)), "utf8");

it.each(["operation.md", "operation.ja.md"])("%s has every metric of the bridge, and no other", async (name) => {
  const { url } = await startPanel();
  const { text } = await ask(`${url}/metrics`);
  const real = [...text.matchAll(/^# TYPE (sakuraio_\S+)/gm)].map(([, metric]) => metric);
  const told = [...page(name).matchAll(/sakuraio_[a-z_]+/g)].map(([metric]) => metric);
  expect([...new Set(told)].sort()).toEqual([...new Set(real)].sort());
});
