/** Lines of the UART, as literal text: module-protocol §3. */
export interface ExchangeVector {
  readonly source: string;
  readonly request: string;
  readonly commandLine: string;
  readonly response: string;
  readonly answerLines: string;
}

export const exchangeVectors: readonly ExchangeVector[] = [
  {
    source: "module-protocol §3, the example",
    request: "A1 00 A1",
    commandLine: "AT*CMD=A100A1\n",
    response: "01 0A 31 36 42 30 31 30 30 32 36 30 7B",
    answerLines: "*CMD:010A313642303130303236307B\r\nOK\r\n",
  },
  {
    source: "module-protocol §3 with §2, 0x20 and §7, a refusal",
    request: "20 12 01 6C 01 02 03 04 05 06 07 08 1F EF FF FF FF FF FF FF A7",
    commandLine: "AT*CMD=2012016C01020304050607081FEFFFFFFFFFFFFFA7\n",
    response: "05 00 05",
    answerLines: "*CMD:050005\r\nOK\r\n",
  },
];

/** A line and what the module makes of it. `frame` is the bytes handed on, whole frame or not. */
export interface LineVector {
  readonly source: string;
  readonly line: string;
  readonly understood: { readonly kind: "frame"; readonly frame: string } | { readonly kind: "at" | "error" };
}

export const lineVectors: readonly LineVector[] = [
  {
    source: "module-protocol §3, the example",
    line: "AT*CMD=A100A1",
    understood: { kind: "frame", frame: "A1 00 A1" },
  },
  {
    source: "module-protocol §3 [choice], lower-case hex",
    line: "AT*CMD=a100a1",
    understood: { kind: "frame", frame: "A1 00 A1" },
  },
  {
    source: "module-protocol §3 [choice], both cases",
    line: "AT*CMD=aB04DeADbeEF00",
    understood: { kind: "frame", frame: "AB 04 DE AD BE EF 00" },
  },
  {
    source: "module-protocol §3 with §7: at least 3 bytes in pairs are a frame, of a wrong size or not",
    line: "AT*CMD=01FF00AA",
    understood: { kind: "frame", frame: "01 FF 00 AA" },
  },
  { source: "module-protocol §3, AT alone", line: "AT", understood: { kind: "at" } },
  { source: "module-protocol §3 [choice], odd digits", line: "AT*CMD=A100A", understood: { kind: "error" } },
  { source: "module-protocol §3 [choice], odd digits", line: "AT*CMD=A100A1A", understood: { kind: "error" } },
  { source: "module-protocol §3 [choice], two bytes", line: "AT*CMD=A100", understood: { kind: "error" } },
  { source: "module-protocol §3 [choice], one byte", line: "AT*CMD=A1", understood: { kind: "error" } },
  { source: "module-protocol §3 [choice], no bytes", line: "AT*CMD=", understood: { kind: "error" } },
  { source: "module-protocol §3 [choice], no digit", line: "AT*CMD=A100G1", understood: { kind: "error" } },
  { source: "module-protocol §3 [choice], a space", line: "AT*CMD=A1 00 A1", understood: { kind: "error" } },
  { source: "module-protocol §3 [choice], a space before it", line: " AT*CMD=A100A1", understood: { kind: "error" } },
  { source: "module-protocol §3 [choice], no AT", line: "*CMD=A100A1", understood: { kind: "error" } },
  { source: "module-protocol §3 [choice], no =", line: "AT*CMDA100A1", understood: { kind: "error" } },
  { source: "module-protocol §3 [choice], lower-case at", line: "at*cmd=A100A1", understood: { kind: "error" } },
  { source: "module-protocol §3 [choice], another AT command", line: "AT+CGMI", understood: { kind: "error" } },
  { source: "module-protocol §3 [choice], half an AT", line: "A", understood: { kind: "error" } },
  { source: "module-protocol §3 [choice], lower-case at", line: "at", understood: { kind: "error" } },
  { source: "module-protocol §3 [choice], AT and a space", line: "AT ", understood: { kind: "error" } },
];
