/** One C function for each command, from what its codecs say of their bytes; more where it takes channel values. */
import { type CommandName, commandNames, commandTable } from "../../protocol/commands.ts";
import { FRAME_OVERHEAD } from "../../protocol/frame.ts";
import { hexByte } from "../../protocol/hex.ts";
import { type AnswerPart, answerPart, textSize } from "./c-answer.ts";
import { channelSuffixes } from "./c-channel.ts";
import { codeMacro } from "./c-numbers.ts";
import { type RequestPart, requestPart } from "./c-request.ts";
import { comment, defines, identifier, inlineFunction } from "./c-text.ts";

const DEVICE = "const sakuraio_device *device";

/** The C function's name: `sakuraio_tx_enqueue`. */
const functionName = (name: CommandName): string => `sakuraio_${identifier(name)}`;

export function commandFunctions(): string {
  return commandNames.map(functionsOf).join("\n\n");
}

/** Room for each text that the module answers. */
export function textSizes(): string {
  const rows = commandNames.flatMap((name): [string, string][] => {
    const { layout } = commandTable[name].response;
    return layout.kind === "ascii" ? [[textSize(layout.name), `${layout.max + 1}`]] : [];
  });
  return `/* Room for a text that the module answers, and the NUL behind it. */\n${defines(rows)}`;
}

function functionsOf(name: CommandName): string {
  const { layout } = commandTable[name].request;
  const plain = functionName(name);
  const first = commandFunction(name, plain, requestPart(layout, false));
  if (layout.kind !== "entries") return first;
  const timed = "offset_ms is when it was measured: -4321 is 4.321 s ago.";
  return [
    first,
    commandFunction(name, `${plain}_with_offset`, requestPart(layout, true), timed),
    ...(layout.max === 1 ? channelSuffixes.flatMap((type) => typedFunctions(plain, type)) : []),
  ].join("\n\n");
}

/** The same for a C value of one type, with and without its time. */
function typedFunctions(plain: string, { suffix, parameter }: (typeof channelSuffixes)[number]): string[] {
  const parameters = [DEVICE, "uint8_t channel", parameter];
  const entry = `sakuraio_entry entry = sakuraio_entry_${suffix}(channel, value);`;
  return [
    inlineFunction("int", `${plain}_${suffix}`, parameters, [entry, `return ${plain}(device, &entry);`]),
    inlineFunction(
      "int",
      `${plain}_${suffix}_with_offset`,
      [...parameters, "int64_t offset_ms"],
      [entry, `return ${plain}_with_offset(device, &entry, offset_ms);`],
    ),
  ];
}

function commandFunction(name: CommandName, cName: string, request: RequestPart, more = ""): string {
  const { response, doc, repeat, code } = commandTable[name];
  const taken = request.parameters.map((parameter) => /\w+$/.exec(parameter)?.[0] ?? "");
  const answer = answerPart(response.layout, taken);
  const words = [
    `${name} (${hexByte(code)}): ${doc}.`,
    more,
    answer.words,
    repeat === "once" ? "After a SAKURAIO_ERROR_ it may have been done or not: a second time does it again." : "",
  ];
  return [
    comment(words.filter(Boolean).join(" ")),
    inlineFunction(
      "int",
      cName,
      [DEVICE, ...request.parameters, ...answer.parameters],
      [
        `uint8_t request[${withOverhead(request.room)}];`,
        `uint8_t response[${withOverhead(answer.most)}];`,
        ...request.body,
        ...(answer.body.length === 0
          ? exchange("return ", name, request, answer)
          : [
              // No field of the table is called so.
              ...exchange("int returned = ", name, request, answer),
              "if (returned != SAKURAIO_OK) return returned;",
              ...answer.body,
              "return SAKURAIO_OK;",
            ]),
      ],
    ),
  ].join("\n");
}

function exchange(what: string, name: CommandName, request: RequestPart, answer: AnswerPart): string[] {
  return [
    `${what}sakuraio_exchange(device, ${codeMacro(name)},`,
    `    request, ${request.length}, response, ${answer.least}, ${answer.most});`,
  ];
}

/** A whole frame's bytes; a sum of numbers is worked out here. */
function withOverhead(payload: string): string {
  return /^\d+$/.test(payload) ? `${Number(payload) + FRAME_OVERHEAD}` : `${payload} + ${FRAME_OVERHEAD}`;
}
