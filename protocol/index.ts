/** The module's command protocol and the platform's messages: pure, without Node, the same in a browser. */
export * from "./at.ts";
export type * from "./bus.ts";
export * from "./bus-pirate.ts";
export { type BusPirateCommand, BusPirateParser } from "./bus-pirate-parser.ts";
export {
  CHANNEL_MAX,
  type ChannelEntry,
  type ChannelType,
  type ChannelTypes,
  type ChannelValue,
  channelTypes,
  isChannelType,
  MESSAGE_CHANNELS_MAX,
  valueProblem,
} from "./channel.ts";
export type { Codec } from "./codec.ts";
export {
  type Command,
  type CommandName,
  type CommandTable,
  commandByCode,
  commandNames,
  commandTable,
  isCommandName,
  type Repeat,
  type RequestOf,
  type ResponseOf,
} from "./commands.ts";
export { formatDateTime, parseDateTime } from "./datetime.ts";
export { type DuplexOptions, duplexOverStream, type StreamLike } from "./duplex.ts";
export { type ErrorContext, isSakuraError, SakuraError, type SakuraErrorCode } from "./errors.ts";
export {
  type AnyRequest,
  type DecodedRequest,
  decodeRequest,
  decodeResponse,
  encodeFrame,
  encodeRefusal,
  encodeRequest,
  encodeResponse,
  FRAME_MAX,
  FRAME_OVERHEAD,
  frameProblem,
  PAYLOAD_MAX,
  parityOf,
} from "./frame.ts";
export { FrameParser, type FrameParserEvent } from "./frame-parser.ts";
export { fromHex, hexByte, toHex } from "./hex.ts";
export { type Json, parseJson, shortestFloat32 } from "./json.ts";
export {
  type ChannelsUplink,
  type ConnectionUplink,
  channelValueFromJson,
  type DownlinkMessage,
  downlinkFromJson,
  encodeDownlink,
  encodeMessage,
  type LocationUplink,
  moduleIdSchema,
  nonFiniteValues,
  type PlatformMessage,
  parseDownlink,
  parsePlatformMessage,
  stamp,
  type TimedChannel,
  type UplinkMessage,
  valueJson,
} from "./message.ts";
export {
  encodeRecordingHeader,
  encodeRecordingLine,
  parseRecording,
  type RecordedEvent,
  type RecordedFrame,
  type Recording,
  type RecordingHeader,
} from "./recording.ts";
export * from "./status.ts";
export * from "./wiring.ts";
