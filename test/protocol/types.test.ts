/**
 * What must and must not compile. The type checker is the judge: an `@ts-expect-error` over a line without an error is
 * one itself. The functions are never run.
 */
import { describe, expectTypeOf, it } from "vitest";
import {
  type AnyRequest,
  type ChannelEntry,
  type CommandName,
  commandTable,
  type decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  type RequestOf,
  type ResponseOf,
} from "../../protocol/index.ts";

describe("types inferred from the command table", () => {
  it("gives a request its shape, and undefined where there is none", () => {
    expectTypeOf<RequestOf<"TX_ENQUEUE">>().toEqualTypeOf<ChannelEntry & { readonly offset?: bigint | undefined }>();
    expectTypeOf<RequestOf<"TX_SENDIMMED">>().toEqualTypeOf<{
      readonly channels: readonly ChannelEntry[];
      readonly offset?: bigint | undefined;
    }>();
    expectTypeOf<RequestOf<"ECHO_BACK">>().toEqualTypeOf<Uint8Array>();
    expectTypeOf<RequestOf<"READ_ADC">>().toEqualTypeOf<number>();
    expectTypeOf<RequestOf<"UNLOCK">>().toEqualTypeOf<undefined>();
    expectTypeOf<RequestOf<"GET_UNIQUE_ID">>().toEqualTypeOf<undefined>();
    expectTypeOf<RequestOf<"SET_POWER_SAVE_MODE">>().toEqualTypeOf<
      "disabled" | "auto-sleep" | "rf-off" | `unknown-${number}`
    >();
  });

  it("gives an answer its shape, and undefined where there is none", () => {
    expectTypeOf<ResponseOf<"RX_DEQUEUE">>().toEqualTypeOf<ChannelEntry & { readonly offset: bigint }>();
    expectTypeOf<ResponseOf<"RX_PEEK">>().toEqualTypeOf<ResponseOf<"RX_DEQUEUE">>();
    expectTypeOf<ResponseOf<"TX_ENQUEUE">>().toEqualTypeOf<undefined>();
    expectTypeOf<ResponseOf<"TX_LENGTH">>().toEqualTypeOf<{ available: number; queued: number }>();
    expectTypeOf<ResponseOf<"GET_DATETIME">>().toEqualTypeOf<bigint>();
    expectTypeOf<ResponseOf<"GET_UNIQUE_ID">>().toEqualTypeOf<string>();
    expectTypeOf<ResponseOf<"GET_FILE_METADATA">["timestamp"]>().toEqualTypeOf<bigint>();
    expectTypeOf<ResponseOf<"GET_CONNECTION_STATUS">["lastError"]>().toEqualTypeOf<
      "none" | "out-of-service-area" | "connection-error" | "unexpected-disconnect" | `unknown-${number}`
    >();
  });

  it("holds no `any` anywhere in the table", () => {
    type IsAny<T> = 0 extends 1 & T ? true : false;
    type Anys = { [N in CommandName]: IsAny<RequestOf<N>> | IsAny<ResponseOf<N>> }[CommandName];
    expectTypeOf<Anys>().toEqualTypeOf<false>();
  });

  it("ties an answer, a decoded request and a row of the table to the command's name", () => {
    expectTypeOf(decodeResponse<"GET_DATETIME">).returns.toEqualTypeOf<bigint>();
    expectTypeOf(commandTable.READ_ADC.request.read).returns.toEqualTypeOf<number>();
    expectTypeOf<Extract<AnyRequest, { name: "GET_FILE_DATA" }>["request"]>().toEqualTypeOf<number>();
    expectTypeOf<AnyRequest<"TX_SEND" | "READ_ADC">["name"]>().toEqualTypeOf<"TX_SEND" | "READ_ADC">();
    expectTypeOf<Extract<ReturnType<typeof decodeRequest>, { ok: false }>["status"]>().toEqualTypeOf<
      "PARITY" | "MISSING" | "INVALID_SYNTAX" | "RUNTIME" | "LOCKED" | "BUSY"
    >();
  });

  it("does not compile a wrong request", () => {
    expectTypeOf(wrongRequests).toBeFunction();
    expectTypeOf(wrongAnswers).toBeFunction();
  });
});

function wrongRequests(): void {
  encodeRequest("TX_ENQUEUE", { channel: 1, type: "l", value: 1n });
  encodeRequest("TX_SEND", undefined);
  // @ts-expect-error an int64 is a bigint
  encodeRequest("TX_ENQUEUE", { channel: 1, type: "l", value: 1 });
  // @ts-expect-error an int32 is a number
  encodeRequest("TX_ENQUEUE", { channel: 1, type: "i", value: 1n });
  // @ts-expect-error no such type
  encodeRequest("TX_ENQUEUE", { channel: 1, type: "x", value: 1 });
  // @ts-expect-error an offset is a bigint
  encodeRequest("TX_ENQUEUE", { channel: 1, type: "i", value: 1, offset: -1 });
  // @ts-expect-error the channel is missing
  encodeRequest("TX_ENQUEUE", { type: "i", value: 1 });
  // @ts-expect-error takes nothing
  encodeRequest("TX_SEND", 1);
  // @ts-expect-error takes a pin
  encodeRequest("READ_ADC", undefined);
  // @ts-expect-error bytes, not text
  encodeRequest("ECHO_BACK", "AA");
  // @ts-expect-error no such mode
  encodeRequest("SET_POWER_SAVE_MODE", "off");
  // @ts-expect-error no such command
  encodeRequest("TX_ENQUEUED", undefined);
}

function wrongAnswers(): void {
  // @ts-expect-error a time is a bigint
  encodeResponse("GET_DATETIME", 0);
  // @ts-expect-error the offset is missing
  encodeResponse("RX_DEQUEUE", { channel: 0, type: "i", value: 0 });
  // @ts-expect-error half an answer
  encodeResponse("TX_LENGTH", { available: 1 });
  // @ts-expect-error answers nothing
  encodeResponse("TX_CLEAR", 0);
  // @ts-expect-error a name of the table alone
  decodeResponse("NOPE", new Uint8Array());
}
