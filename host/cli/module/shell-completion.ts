/** What Tab offers at the shell: verbs, options, choices, types of values, names of commands and of files. */
import { type Dirent, readdirSync, statSync } from "node:fs";
import type { Argument, Command, Option } from "commander";
import { channelTypes } from "../../../protocol/channel.ts";
import { commandNames } from "../../../protocol/commands.ts";
import { powerSaveModes } from "../../../protocol/status.ts";
import { shellGrammar } from "./shell-verbs.ts";
import { quoteWord, splitForCompletion } from "./shell-words.ts";

/** As `node:readline` asks: what the typed word can become, and that word. */
export function shellCompleter(grammar = shellGrammar()): (line: string) => [hits: string[], typed: string] {
  return (line) => {
    const { before, typed } = splitForCompletion(line);
    const hits = candidates(grammar, before, typed).filter((hit) => hit.startsWith(typed));
    // What can go on is not ended: 1:i=, a directory.
    return [hits.map((hit) => (/[=:/]$/.test(hit) ? hit : `${hit} `)), typed];
  };
}

function candidates(grammar: Command, before: readonly string[], typed: string): readonly string[] {
  const { command, args } = descend(grammar, before);
  const last = before.at(-1);
  const option = last === undefined ? undefined : optionsOf(command).find((one) => isCalled(one, last));
  if (option?.required) return valuesOf(option, namesIn(option.flags), typed);
  if (typed.startsWith("-")) return optionsOf(command).map(({ long, short }) => long ?? short ?? "");
  if (command.commands.length > 0 && args.length === 0) return verbsOf(command);
  // help VERB
  if (command.name() === "help") return args.length === 0 ? verbsOf(grammar) : [];
  const argument = argumentAt(command, args.length);
  return argument ? valuesOf(argument, argument.name(), typed) : [];
}

/** The verb that the words lead to, and its arguments among them. */
function descend(grammar: Command, words: readonly string[]): { command: Command; args: readonly string[] } {
  let command = grammar;
  const args: string[] = [];
  let awaiting: Option | undefined;
  for (const word of words) {
    if (awaiting?.required) {
      awaiting = undefined;
      continue;
    }
    awaiting = optionsOf(command).find((option) => isCalled(option, word));
    if (word.startsWith("-")) continue;
    const next = command
      .createHelp()
      .visibleCommands(command)
      .find((one) => namesOf(one).includes(word));
    if (next && args.length === 0) command = next;
    else args.push(word);
  }
  return { command, args };
}

function verbsOf(command: Command): string[] {
  return command.createHelp().visibleCommands(command).flatMap(namesOf);
}

function namesOf(command: Command): string[] {
  return [command.name(), ...command.aliases()];
}

function optionsOf(command: Command): Option[] {
  const help = command.createHelp();
  help.showGlobalOptions = true;
  return [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)];
}

function isCalled({ long, short }: Option, word: string): boolean {
  return word === long || word === short;
}

function argumentAt({ registeredArguments }: Command, index: number): Argument | undefined {
  const last = registeredArguments.at(-1);
  return registeredArguments[index] ?? (last?.variadic ? last : undefined);
}

/** `-o, --output <FILE>`: FILE. */
function namesIn(flags: string): string {
  return /[<[]([^>\]]+)[>\]]/.exec(flags)?.[1] ?? "";
}

/** By its choices, and where it has none by what it is called. */
function valuesOf(
  what: { readonly argChoices?: string[] | undefined },
  name: string,
  typed: string,
): readonly string[] {
  if (what.argChoices) return what.argChoices;
  switch (name.replace(/\.\.\.$/, "")) {
    case "FILE":
      return filesFor(typed);
    case "CH:TYPE=VALUE":
      return channelValues(typed);
    case "CODE":
      return typed === typed.toUpperCase() ? commandNames : commandNames.map((command) => command.toLowerCase());
    case "MODE":
      return Object.keys(powerSaveModes.values);
    default:
      return [];
  }
}

/** `1:` can become `1:i=`, and each other type. */
function channelValues(typed: string): readonly string[] {
  const channel = /^(\d{1,3})(:|$)/.exec(typed)?.[1];
  if (channel === undefined) return [];
  return typed === channel ? [`${channel}:`] : Object.keys(channelTypes).map((type) => `${channel}:${type}=`);
}

/** Also one that a link leads to. */
function isDirectory(directory: string, entry: Dirent): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  try {
    return statSync(`${directory}${entry.name}`).isDirectory();
  } catch {
    // It leads nowhere, in a circle, or where one may not look.
    return false;
  }
}

function filesFor(typed: string): readonly string[] {
  const path = typed.replace(/\\([\s'"#\\])/g, "$1");
  const directory = path.slice(0, path.lastIndexOf("/") + 1);
  const hidden = path.slice(directory.length).startsWith(".");
  try {
    return readdirSync(directory === "" ? "." : directory, { withFileTypes: true })
      .filter(({ name }) => hidden || !name.startsWith("."))
      .map((entry) => quoteWord(`${directory}${entry.name}`) + (isDirectory(directory, entry) ? "/" : ""))
      .toSorted();
  } catch {
    // No directory, or one that may not be read: nothing to offer, and Tab is no place to say so.
    return [];
  }
}
