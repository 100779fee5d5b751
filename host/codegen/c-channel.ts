/** Channel values in C (§2, Channel values): an entry as it is on the wire, made of a C value and read back as one. */
import { CHANNEL_MAX, type ChannelType, channelTypes, ENTRY_SIZE, isChannelType } from "../../protocol/channel.ts";
import { hexByte } from "../../protocol/hex.ts";
import { comment, defines, inlineFunction, macro } from "./c-text.ts";

interface CType {
  /** What the functions of this type end in. */
  readonly suffix: string;
  readonly parameter: string;
  /** Puts `value` into the eight zeroed bytes at `entry.value`. */
  readonly store: string;
  /** How the value comes back out of `entry->value`; none where it is there to be read as it is. */
  readonly load?: { readonly type: string; readonly body: readonly string[] };
}

const integer = (type: string, store: string, load: string): Omit<CType, "suffix"> => ({
  parameter: `${type} value`,
  store,
  load: { type, body: [`return ${load};`] },
});

/** A channel type without its C does not compile. */
const cTypes: { readonly [T in ChannelType]: Omit<CType, "suffix"> } = {
  i: integer(
    "int32_t",
    "sakuraio_store_u32(entry.value, (uint32_t)value);",
    "(int32_t)sakuraio_load_u32(entry->value)",
  ),
  I: integer("uint32_t", "sakuraio_store_u32(entry.value, value);", "sakuraio_load_u32(entry->value)"),
  l: integer(
    "int64_t",
    "sakuraio_store_u64(entry.value, (uint64_t)value);",
    "(int64_t)sakuraio_load_u64(entry->value)",
  ),
  L: integer("uint64_t", "sakuraio_store_u64(entry.value, value);", "sakuraio_load_u64(entry->value)"),
  f: {
    parameter: "float value",
    store: "sakuraio_store_u32(entry.value, sakuraio_float32_bits(value));",
    load: { type: "float", body: ["return sakuraio_float32_of_bits(sakuraio_load_u32(entry->value));"] },
  },
  d: {
    parameter: "double value",
    store: "sakuraio_store_double(entry.value, value);",
    load: { type: "double", body: ["return sakuraio_load_double(entry->value);"] },
  },
  b: { parameter: "const uint8_t value[8]", store: "memcpy(entry.value, value, 8);" },
};

/** The types with what their functions are called: `int32_t` gives `int32`, `byte[8]` gives `bytes`. */
export const channelSuffixes: readonly (CType & { readonly type: ChannelType })[] = Object.keys(channelTypes)
  .filter(isChannelType)
  .map((type) => ({
    type,
    suffix: channelTypes[type].replace(/_t$/, "").replace(/\[\d+\]$/, "s"),
    ...cTypes[type],
  }));

export const channelTypeMacros = `\
/* The types of a channel's value. */
${defines(channelSuffixes.map(({ type, suffix }) => [macro("type", suffix), `${hexByte(type.charCodeAt(0))} /* '${type}' */`]))}`;

const entryType = `\
/*
 * A value on a channel, byte for byte as it travels: value is little-endian, a shorter one followed
 * by zeros. sakuraio_entry_int32() and so on make one, sakuraio_entry_get_int32() and so on read
 * it.
 */
typedef struct {
  uint8_t channel;
  uint8_t type;
  uint8_t value[8];
} sakuraio_entry;
typedef char sakuraio_entry_has_no_padding[sizeof(sakuraio_entry) == ${ENTRY_SIZE} ? 1 : -1];`;

/** `double` is a float64 on the wire whatever it is to the compiler: avr-gcc makes it 32 bits wide. */
const floats = `\
static inline uint32_t sakuraio_float32_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static inline float sakuraio_float32_of_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* A float32, by its bits, as the eight bytes of the float64 that equals it. */
static inline void sakuraio_store_widened(uint8_t *out, uint32_t bits) {
  uint32_t fraction = bits & 0x7FFFFF;
  uint32_t exponent = (bits >> 23) & 0xFF;
  if (exponent == 0xFF) {
    exponent = 0x7FF;
  } else if (exponent != 0) {
    exponent += 1023 - 127;
  } else if (fraction != 0) {
    /* Below the least normal float32, but not so small to a float64. */
    exponent = 1023 - 126;
    for (; (fraction & 0x800000) == 0; exponent--) fraction <<= 1;
    fraction &= 0x7FFFFF;
  }
  sakuraio_store_u32(out, fraction << 29);
  sakuraio_store_u32(out + 4, (bits & 0x80000000) | (exponent << 20) | (fraction >> 3));
}

/* The bits of the float32 that is nearest to the float64 in these eight bytes, ties to even. */
static inline uint32_t sakuraio_load_narrowed(const uint8_t *bytes) {
  uint32_t low = sakuraio_load_u32(bytes);
  uint32_t high = sakuraio_load_u32(bytes + 4);
  uint32_t sign = high & 0x80000000;
  uint32_t exponent = (high >> 20) & 0x7FF;
  uint32_t fraction = ((high & 0xFFFFF) << 3) | (low >> 29);
  uint32_t dropped = low << 3;
  if (exponent == 0x7FF) {
    /* Infinity stays that, and so does a NaN whose low bits are cut off. */
    return sign | 0x7F800000 | ((fraction | dropped) != 0 ? 0x400000 | fraction : 0);
  }
  if (exponent > 1023 + 127) return sign | 0x7F800000;
  if (exponent > 1023 - 127) {
    fraction |= (exponent - (1023 - 127)) << 23;
  } else {
    if (exponent < 1023 - 150) return sign;
    fraction |= 0x800000;
    for (; exponent <= 1023 - 127; exponent++) {
      dropped = (dropped >> 1) | (dropped & 1) | (fraction << 31);
      fraction >>= 1;
    }
  }
  if (dropped > 0x80000000 || (dropped == 0x80000000 && (fraction & 1) != 0)) fraction++;
  return sign | fraction;
}

/* On AVR a double is a float32; on the wire it is always a float64. */
static inline void sakuraio_store_double(uint8_t *out, double value) {
  if (sizeof value == 8) {
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof value);
    sakuraio_store_u64(out, bits);
  } else {
    sakuraio_store_widened(out, sakuraio_float32_bits((float)value));
  }
}

static inline double sakuraio_load_double(const uint8_t *bytes) {
  if (sizeof(double) == 8) {
    uint64_t bits = sakuraio_load_u64(bytes);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
  }
  return (double)sakuraio_float32_of_bits(sakuraio_load_narrowed(bytes));
}`;

/** What makes an entry of each type, and what reads it. */
export function channelValues(): string {
  const makers = channelSuffixes.map(({ suffix, parameter, store }) =>
    inlineFunction(
      "sakuraio_entry",
      `sakuraio_entry_${suffix}`,
      ["uint8_t channel", parameter],
      [
        "sakuraio_entry entry;",
        "memset(&entry, 0, sizeof entry);",
        "entry.channel = channel;",
        `entry.type = ${macro("type", suffix)};`,
        store,
        "return entry;",
      ],
    ),
  );
  const readers = channelSuffixes.flatMap(({ suffix, load }) =>
    load === undefined
      ? []
      : [inlineFunction(load.type, `sakuraio_entry_get_${suffix}`, ["const sakuraio_entry *entry"], load.body)],
  );
  return [
    entryType,
    floats,
    comment(`A value on a channel, 0 to ${CHANNEL_MAX}. The module refuses a channel that is none.`),
    makers.join("\n\n"),
    comment("The value of an entry whose type says that it is of this kind."),
    readers.join("\n\n"),
  ].join("\n\n");
}
