/** The header's macros for numbers that have names: codes, statuses and what the module reports. */
import { type CommandName, commandNames, commandTable } from "../../protocol/commands.ts";
import { hexByte } from "../../protocol/hex.ts";
import type { Layout, NamedNumbers } from "../../protocol/layout.ts";
import { products, type Status, statuses, statusMeanings } from "../../protocol/status.ts";
import { defines, macro } from "./c-text.ts";

export const codeMacro = (name: CommandName): string => macro("command", name);

export function numbers(): string {
  return [codes(), statusNumbers(), ...[products, ...namedInTable()].map(group)].join("\n\n");
}

function codes(): string {
  return `/* The commands. */\n${defines(commandNames.map((name) => [codeMacro(name), hexByte(commandTable[name].code)]))}`;
}

function statusNumbers(): string {
  const rows = Object.entries(statusMeanings).flatMap(([name, meaning]) =>
    isStatus(name) ? [`/* ${meaning} */\n#define ${macro("status", name)} ${hexByte(statuses.values[name])}`] : [],
  );
  return `/* The first byte of every answer. */\n${rows.join("\n")}\n#define SAKURAIO_OK ${macro("status", "NONE")}`;
}

function isStatus(name: string): name is Status {
  return Object.hasOwn(statuses.values, name);
}

/** Every set of names that a command's payload uses, once. */
export function namedInTable(): readonly NamedNumbers[] {
  const found = new Map<string, NamedNumbers>();
  for (const name of commandNames) {
    const { request, response } = commandTable[name];
    for (const names of [request.layout, response.layout].flatMap(namesIn)) found.set(names.label, names);
  }
  return [...found.values()];
}

export function namesIn(layout: Layout): readonly NamedNumbers[] {
  if (layout.kind !== "fields") return [];
  return layout.fields.flatMap((field) => (field.kind === "unsigned" ? [] : [field.names]));
}

function group({ label, values }: NamedNumbers): string {
  const rows = Object.entries(values).map(([name, value]): [string, string] => [macro(label, name), hexByte(value)]);
  return `/* ${label[0]?.toUpperCase() ?? ""}${label.slice(1)}. */\n${defines(rows)}`;
}
