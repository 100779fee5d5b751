/** Platform messages as literal text: aws-iot §1, from the vendor's documents. */
import type { DownlinkMessage, PlatformMessage } from "../../protocol/index.ts";
import { bytes } from "./bytes.ts";

export interface MessageVector<T> {
  readonly source: string;
  readonly message: T;
  readonly text: string;
}

const datetime = "2018-06-21T01:10:57.770020629Z";

export const uplinkVectors: readonly MessageVector<PlatformMessage>[] = [
  {
    source: "aws-iot §1, the vendor's sample",
    message: {
      module: "uXXXXXXXXXXX",
      type: "channels",
      datetime,
      payload: { channels: [{ channel: 0, type: "i", value: 12345, datetime: "2018-06-21T01:10:57.770023483Z" }] },
    },
    text: '{"module":"uXXXXXXXXXXX","type":"channels","datetime":"2018-06-21T01:10:57.770020629Z","payload":{"channels":[{"channel":0,"type":"i","value":12345,"datetime":"2018-06-21T01:10:57.770023483Z"}]}}',
  },
  {
    source: "aws-iot §1, the vendor's sample",
    message: { module: "uXXXXXXXXXXX", type: "connection", datetime, payload: { is_online: true } },
    text: '{"module":"uXXXXXXXXXXX","type":"connection","datetime":"2018-06-21T01:10:57.770020629Z","payload":{"is_online":true}}',
  },
  {
    source: "aws-iot §1, connection",
    message: { module: "uXXXXXXXXXXX", type: "connection", datetime, payload: { is_online: false } },
    text: '{"module":"uXXXXXXXXXXX","type":"connection","datetime":"2018-06-21T01:10:57.770020629Z","payload":{"is_online":false}}',
  },
  {
    source: "aws-iot §1, location",
    message: {
      module: "uXXXXXXXXXXX",
      type: "location",
      datetime,
      payload: { coordinate: { latitude: 35.6894, longitude: -139.6917, range_m: 0 } },
    },
    text: '{"module":"uXXXXXXXXXXX","type":"location","datetime":"2018-06-21T01:10:57.770020629Z","payload":{"coordinate":{"latitude":35.6894,"longitude":-139.6917,"range_m":0}}}',
  },
  {
    source: "aws-iot §1, location: coordinate may be null",
    message: { module: "uXXXXXXXXXXX", type: "location", datetime, payload: { coordinate: null } },
    text: '{"module":"uXXXXXXXXXXX","type":"location","datetime":"2018-06-21T01:10:57.770020629Z","payload":{"coordinate":null}}',
  },
  {
    source: "aws-iot §1: 64-bit integers exact, bytes as 16 hex digits in lower case, minus zero kept; any module id",
    message: {
      module: "emulator-001",
      type: "channels",
      datetime: "2018-06-21T01:10:57Z",
      payload: {
        channels: [
          { channel: 0, type: "l", value: -9_223_372_036_854_775_808n, datetime: "2018-06-21T01:10:57Z" },
          { channel: 1, type: "l", value: 9_223_372_036_854_775_807n, datetime: "2018-06-21T01:10:57.1Z" },
          { channel: 2, type: "L", value: 18_446_744_073_709_551_615n, datetime: "2018-06-21T01:10:57.12Z" },
          { channel: 3, type: "I", value: 4_294_967_295, datetime: "2018-06-21T01:10:57.123Z" },
          { channel: 4, type: "d", value: 0.1, datetime: "2018-06-21T01:10:57.123456789Z" },
          { channel: 5, type: "d", value: -0, datetime: "2018-06-21T01:10:57.123Z" },
          { channel: 6, type: "f", value: -0, datetime: "2018-06-21T01:10:57.123Z" },
          { channel: 127, type: "b", value: bytes("0F 1E 2D 3C 4B 5C 6B FA"), datetime: "2018-06-21T01:10:57.123Z" },
        ],
      },
    },
    text:
      '{"module":"emulator-001","type":"channels","datetime":"2018-06-21T01:10:57Z","payload":{"channels":[' +
      '{"channel":0,"type":"l","value":-9223372036854775808,"datetime":"2018-06-21T01:10:57Z"},' +
      '{"channel":1,"type":"l","value":9223372036854775807,"datetime":"2018-06-21T01:10:57.1Z"},' +
      '{"channel":2,"type":"L","value":18446744073709551615,"datetime":"2018-06-21T01:10:57.12Z"},' +
      '{"channel":3,"type":"I","value":4294967295,"datetime":"2018-06-21T01:10:57.123Z"},' +
      '{"channel":4,"type":"d","value":0.1,"datetime":"2018-06-21T01:10:57.123456789Z"},' +
      '{"channel":5,"type":"d","value":-0,"datetime":"2018-06-21T01:10:57.123Z"},' +
      '{"channel":6,"type":"f","value":-0,"datetime":"2018-06-21T01:10:57.123Z"},' +
      '{"channel":127,"type":"b","value":"0f1e2d3c4b5c6bfa","datetime":"2018-06-21T01:10:57.123Z"}]}}',
  },
];

export const downlinkVectors: readonly MessageVector<DownlinkMessage>[] = [
  {
    source: "aws-iot §1, the vendor's sample",
    message: {
      type: "channels",
      module: "uXXXXXXXXXXX",
      payload: { channels: [{ channel: 1, type: "b", value: bytes("0F 1E 2D 3C 4B 5C 6B 7A") }] },
    },
    text: '{"type":"channels","module":"uXXXXXXXXXXX","payload":{"channels":[{"channel":1,"type":"b","value":"0f1e2d3c4b5c6b7a"}]}}',
  },
  {
    source: "aws-iot §1: 64-bit integers exact, float32 in its shortest form",
    message: {
      type: "channels",
      module: "uXXXXXXXXXXX",
      payload: {
        channels: [
          { channel: 0, type: "l", value: -9_223_372_036_854_775_808n },
          { channel: 1, type: "L", value: 18_446_744_073_709_551_615n },
          { channel: 2, type: "i", value: -2_147_483_648 },
          { channel: 3, type: "f", value: 0.25 },
          { channel: 4, type: "d", value: 1.7976931348623157e308 },
        ],
      },
    },
    text:
      '{"type":"channels","module":"uXXXXXXXXXXX","payload":{"channels":[' +
      '{"channel":0,"type":"l","value":-9223372036854775808},{"channel":1,"type":"L","value":18446744073709551615},' +
      '{"channel":2,"type":"i","value":-2147483648},{"channel":3,"type":"f","value":0.25},' +
      '{"channel":4,"type":"d","value":1.7976931348623157e+308}]}}',
  },
];
