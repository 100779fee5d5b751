/** Recordings as text, against lines written by hand. */
import { describe, expect, it } from "vitest";
import { encodeRecordingHeader, encodeRecordingLine, parseRecording } from "../../protocol/recording.ts";
import { bytes } from "../vectors/bytes.ts";
import { SENDING, TROUBLED } from "../vectors/recordings.ts";
import { thrown } from "./thrown.ts";

describe("a recording", () => {
  it("is read line by line", () => {
    const { header, lines, torn } = parseRecording(TROUBLED);
    expect(header).toEqual({
      format: "sakuraio-recording",
      version: 1,
      kit: "0.1.0",
      recorded: "2026-11-25T02:03:04.567Z",
      port: { kind: "uart", baud: 115200 },
      host: "node v20.20.2 linux",
    });
    expect(lines).toHaveLength(11);
    expect(lines.slice(0, 3)).toEqual([
      { t: 0, dir: "request", bytes: bytes("A0 00 A0") },
      { t: 1000, dir: "request", bytes: bytes("02 00 02") },
      { t: 1002, dir: "answer", bytes: bytes("01 01 05 FF") },
    ]);
    expect(lines[7]).toEqual({ t: 1400.5, event: "open" });
    expect(torn).toBe(false);
  });

  it("is written as the vector has it", () => {
    const [first, second] = SENDING.split("\n");
    const port = { kind: "uart", baud: 115200 };
    const header = { kit: "0.1.0", recorded: "2026-11-25T02:03:04.567Z", port, host: "node v20.20.2 linux" };
    expect(encodeRecordingHeader(header)).toBe(first);
    expect(encodeRecordingLine({ t: 0.5, dir: "request", bytes: bytes("02 00 02") })).toBe(second);
    const noise = { t: 7, dir: "answer", noise: bytes("45 52 52 4F 52 0D 0A") } as const;
    expect(encodeRecordingLine(noise)).toBe('{"t":7,"dir":"answer","noise":"4552524F520D0A"}');
    expect(parseRecording(`${first}\n${encodeRecordingLine(noise)}\n`).lines).toEqual([noise]);
    expect(encodeRecordingLine({ t: 1.23456789, event: "lost" })).toBe('{"t":1.235,"event":"lost"}');
  });

  it.each([
    ["a brace", '{"t":101,"dir":"answ'],
    ["half its digits", '{"t":101,"dir":"answer","hex":"010'],
  ])("that was cut off after %s is read up to there", (_, torn) => {
    const [header, line] = SENDING.split("\n");
    expect(parseRecording(`${header}\n${line}\n${torn}`)).toMatchObject({ torn: true, lines: [{ t: 0.5 }] });
  });

  it("needs no end, neither of itself nor of its last line", () => {
    const [header, line] = SENDING.split("\n");
    expect(parseRecording(`${header}\n${line}`)).toMatchObject({ torn: false, lines: [{ t: 0.5 }] });
    expect(parseRecording(`${header}\n`)).toMatchObject({ torn: false, lines: [] });
  });

  it.each([
    ["", 1],
    ["no JSON at all", 1],
    ['{"event":"request"}', 1],
    ['{"format":"sakuraio-recording","version":2}', 1],
    ['{"format":"sakuraio-recording","version":1}', 1],
    [SENDING.replace('"hex":"01010505"', '"hex":"0101050"'), 3],
    [SENDING.replace('"hex":"01010505"', '"hex":""'), 3],
    [SENDING.replace('"dir":"answer"', '"dir":"reply"'), 3],
    [SENDING.replace('"hex":"01010505"', '"noise":"4"'), 3],
    [SENDING.replace('"t":3.25', '"t":-1'), 3],
  ])("is refused, naming the line: %j", (text, line) => {
    const { message, context } = thrown("INVALID_ARGUMENT", () => parseRecording(text));
    expect(context).toEqual({ line });
    expect(message).toMatch(new RegExp(`^line ${line} of the recording is .+$`));
  });
});
