/** Rounds from a CSV: exact values, times, and mistakes said with their place. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseCsvRounds, readCsvRounds } from "../../../host/feed/csv.ts";
import { failsWith } from "../../support/errors.ts";

const parse = (text: string, speed?: number) => parseCsvRounds(text, "r.csv", { speed });

describe("a CSV", () => {
  it("without times is a round a row, each value exact", async () => {
    const text =
      "\uFEFFvalue, Type ,channel\r\n" +
      "-2147483648,i,0\r\n4294967295,I,127\r\n-9223372036854775808,l,1\r\n18446744073709551615,L,2\r\n" +
      '# a comment\r\n\r\n0.001,f,3\r\n"1e300",d,4\r\n0f1e2d3c4b5c6b7a,b,5\r\nNaN,f,6\r\n';
    const { rounds, timed } = await parse(text);
    expect(timed).toBe(false);
    expect(rounds).toEqual(
      [
        { channel: 0, type: "i", value: -2147483648 },
        { channel: 127, type: "I", value: 4294967295 },
        { channel: 1, type: "l", value: -9223372036854775808n },
        { channel: 2, type: "L", value: 18446744073709551615n },
        { channel: 3, type: "f", value: 0.001 },
        { channel: 4, type: "d", value: 1e300 },
        { channel: 5, type: "b", value: Uint8Array.of(0x0f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5c, 0x6b, 0x7a) },
        { channel: 6, type: "f", value: Number.NaN },
      ].map((entry) => ({ values: [entry] })),
    );
  });

  it("with times has the rows of one time in one round, as far apart as they were", async () => {
    const text = "time,channel,type,value\n100.5,1,i,1\n100.50,2,i,2\n101,1,i,3\n103.0000005,1,i,4\n";
    const { rounds, timed } = await parse(text);
    expect(timed).toBe(true);
    expect(rounds).toEqual([
      {
        atMs: 0,
        values: [
          { channel: 1, type: "i", value: 1 },
          { channel: 2, type: "i", value: 2 },
        ],
      },
      { atMs: 500, values: [{ channel: 1, type: "i", value: 3 }] },
      { atMs: 2500.0005, values: [{ channel: 1, type: "i", value: 4 }] },
    ]);
    const zones = "time,channel,type,value\n2018-06-21T01:10:57.770Z,1,i,1\n2018-06-21T10:10:58.270+09:00,1,i,2\n";
    expect((await parse(zones, 2)).rounds.map(({ atMs }) => atMs)).toEqual([0, 250]);
  });

  it.each([
    ["", "r.csv, line 1: the file is empty: the first line names the columns"],
    ["1,f,23.5\n", 'r.csv, line 1: column 1 is "1": the first line names the columns'],
    ["channel,type,value,tme\n", 'line 1: column 4 is "tme"'],
    ["channel,value\n1,2\n", "line 1: there is no column type"],
    ["channel,type,value,type\n", 'line 1: column "type" is there twice'],
    ["channel,type,value\n", "line 1: no row of values follows the header"],
    ["channel,type,value\n1,f,1\n1,f\n", "line 3: 2 fields where the header has 3 columns"],
    ["channel,type,value\n1,f,1,5\n", "line 2: 4 fields where the header has 3 columns"],
    ["channel;type;value\n1;f;1\n", "line 1: its columns are parted by semicolons, and not by commas"],
    ["channel\ttype\tvalue\n1\tf\t1\n", "line 1: its columns are parted by tabs, and not by commas"],
    [
      "channel,type,value\n1,f,1\n\n# x\n128,f,1\n",
      'line 5, column channel: "128": a channel is an integer from 0 to 127',
    ],
    ["channel,type,value\n1,x,1\n", 'line 2, column type: "x": the types are i I l L f d b'],
    [
      "channel,type,value\n1,i,2147483648\n",
      'column value: "2147483648": type i takes an integer from -2147483648 to 21',
    ],
    ["channel,type,value\n1,b,0f\n", 'column value: "0f": type b takes 16 hex digits'],
    ["channel,type,value,time\n1,i,1,soon\n", 'line 2, column time: "soon": a time is in RFC 3339'],
    ["channel,type,value,time\n1,i,1,\n", 'line 2, column time: "": a time is in RFC 3339'],
    ["channel,type,value,time\n1,i,1,5\n1,i,1,4.9\n", 'line 3, column time: "4.9" is earlier than the row before'],
    ["channel,type,value,time\n1,i,1,5\n1,i,1,2018-06-21T01:10:57Z\n", "line 3, column time: "],
    ['channel,type,value\n1,f,"1\n', "r.csv, line 2: "],
  ])("%j is refused, with the place", async (text, message) => {
    const error = await failsWith("INVALID_ARGUMENT", parse(text));
    expect(error.message).toContain(message);
    expect(error.message).not.toContain("\n");
  });

  it("of a spreadsheet may have empty rows behind its last one", async () => {
    expect((await parse("channel,type,value,time\r\n1,i,1,0\r\n,,,\r\n,,,\r\n")).rounds).toHaveLength(1);
  });

  it.each([
    // 時刻 in Shift_JIS.
    [
      "Shift_JIS",
      Buffer.concat([Buffer.from("channel,type,value,"), Buffer.from("8e9e8d8f", "hex")]),
      'line 1: the columns\' names are in another encoding than UTF-8, such as Shift_JIS: save it as "CSV UTF-8"; the',
    ],
    ["UTF-16", Buffer.from("\ufeffchannel", "utf16le"), 'line 1: the file is in UTF-16: save it as "CSV UTF-8"'],
  ])("in %s is told to be so", async (_, bytes, message) => {
    const folder = mkdtempSync(join(tmpdir(), "sakuraio-csv-"));
    writeFileSync(join(folder, "r.csv"), bytes);
    const error = await failsWith("INVALID_ARGUMENT", readCsvRounds(join(folder, "r.csv")));
    expect(error.message).toContain(message);
    rmSync(folder, { recursive: true });
  });

  it("that cannot be read is a file's failure", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sakuraio-csv-"));
    const error = await failsWith("FILE_FAILED", readCsvRounds(join(folder, "none.csv")));
    expect(error.message).toBe(`there is no ${join(folder, "none.csv")}`);
    await failsWith("FILE_FAILED", readCsvRounds(folder));
    writeFileSync(join(folder, "r.csv"), "channel,type,value\n1,i,1\n");
    expect((await readCsvRounds(join(folder, "r.csv"))).rounds).toHaveLength(1);
    await failsWith("INVALID_ARGUMENT", readCsvRounds(join(folder, "r.csv"), { speed: 0 }));
    rmSync(folder, { recursive: true });
  });
});
