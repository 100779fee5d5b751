/** The commands of docs/protocol.md, group by group, and the numbers with names that they carry. */
import type { Codec } from "../../protocol/codec.ts";
import { type CommandName, commandNames, commandTable } from "../../protocol/commands.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import { hexByte, toHex } from "../../protocol/hex.ts";
import type { Layout, NamedNumbers } from "../../protocol/layout.ts";
import { namedInTable, namesIn } from "./c-numbers.ts";
import { code, sentence, table } from "./docs-text.ts";

/** By the upper half of the code, as the vendor's reference has them. */
const titles: Readonly<Record<number, string>> = {
  0: "State",
  16: "Pins",
  32: "Sending",
  48: "Receiving",
  64: "Files",
  160: "The module itself",
  176: "Power saving",
};

const groupOf = (name: CommandName): number => commandTable[name].code & 0xf0;

export function commandTables(): readonly string[] {
  const groups = [...new Set(commandNames.map(groupOf))];
  return groups.map((group) => {
    const names = commandNames.filter((name) => groupOf(name) === group);
    return `### ${titles[group] ?? hexByte(group)}\n${table(["code", "command", "request", "answer", "lost answer"], names.flatMap(rowOf))}\n\n${names.map(docLine).join("\n")}`;
  });
}

function rowOf(name: CommandName): readonly (readonly string[])[] {
  const { code: byte, request, response, repeat } = commandTable[name];
  const asked = request.max === 0 ? `– (${code(toHex(encodeFrame(byte, new Uint8Array()), " "))})` : payload(request);
  return [[code(hexByte(byte)), code(name), asked, payload(response), repeat === "safe" ? "again" : "**once**"]];
}

function docLine(name: CommandName): string {
  return `- ${code(name)}: ${commandTable[name].doc}.`;
}

function payload({ shape, layout, min, max }: Pick<Codec<never>, "shape" | "layout" | "min" | "max">): string {
  if (max === 0) return "–";
  // The others say it by their shape.
  return layout.kind === "fields" || layout.kind === "entries" ? `${shape}; ${sizes(layout, min, max)}` : shape;
}

function sizes(layout: Layout, min: number, max: number): string {
  if (layout.kind === "entries" && layout.offset === "optional" && layout.max === 1) return `${min} or ${max} bytes`;
  if (min !== max) return `${min} to ${max} bytes`;
  return max === 1 ? "1 byte" : `${max} bytes`;
}

/** Every set of names in the table, with the commands that carry it, and these besides. */
export function reportedStates(besides: readonly NamedNumbers[]): readonly string[] {
  return [...namedInTable(), ...besides].map((names) => {
    const users = commandNames.filter((name) => carries(name, names));
    const rows = Object.entries(names.values).map(([name, value]) => [code(hexByte(value)), inWords(name)]);
    const of = users.length === 0 ? "" : ` (${users.map(code).join(", ")})`;
    return `### ${sentence(names.label)}${of}\n${table(["number", "meaning"], rows)}`;
  });
}

/** `out-of-service-area` in words; a product's name stays as it is written. */
function inWords(name: string): string {
  return name === name.toLowerCase() ? name.replace(/-/g, " ") : name;
}

function carries(name: CommandName, names: NamedNumbers): boolean {
  const { request, response } = commandTable[name];
  return [request.layout, response.layout].flatMap(namesIn).some(({ label }) => label === names.label);
}
