/** How long an answer can be, known from the request before the answer is there: I2C and SPI are read by the master. */
import { commandByCode, commandTable } from "../../protocol/commands.ts";
import { FRAME_OVERHEAD, PAYLOAD_MAX } from "../../protocol/frame.ts";

export interface AnswerSize {
  /** Bytes to read first: the whole answer where its size is fixed, else as many as say how long it is. */
  readonly first: number;
  /** Bytes of the longest answer. */
  readonly most: number;
}

const byCode: AnswerSize[] = Array.from({ length: 256 }, (_, code) => {
  const name = commandByCode(code);
  const { min, max } = name === undefined ? { min: 0, max: PAYLOAD_MAX } : commandTable[name].response;
  return { first: FRAME_OVERHEAD + (min === max ? max : 0), most: FRAME_OVERHEAD + max };
});

const unknown: AnswerSize = { first: FRAME_OVERHEAD, most: FRAME_OVERHEAD + PAYLOAD_MAX };

/** Of the answer to this request frame. A refusal is shorter: what is read behind it is 0x00 (§4, §5). */
export function answerSize(request: Uint8Array): AnswerSize {
  return byCode[request[0] ?? 0] ?? unknown;
}
