/**
 * float32 by its bits and its shortest decimal. `source` says where the decimal is from: the platform's documents, or
 * what C++17's std::to_chars prints for these bits (IEEE 754 binary32), written as JSON writes numbers.
 */
export interface Float32Vector {
  readonly source: string;
  readonly bits: number;
  readonly text: string;
}

export const float32Vectors: readonly Float32Vector[] = [
  { source: "module-protocol §2, Channel values, f", bits: 0x3a83126f, text: "0.001" },
  { source: "std::to_chars", bits: 0x3dcccccd, text: "0.1" },
  { source: "std::to_chars: a third", bits: 0x3eaaaaab, text: "0.33333334" },
  { source: "std::to_chars: pi", bits: 0x40490fdb, text: "3.1415927" },
  { source: "std::to_chars: negative", bits: 0xc1c80000, text: "-25" },
  { source: "std::to_chars: zero", bits: 0x00000000, text: "0" },
  { source: "IEEE 754: minus zero", bits: 0x80000000, text: "-0" },
  { source: "std::to_chars: the one after 1", bits: 0x3f800001, text: "1.0000001" },
  { source: "std::to_chars: the one before 1", bits: 0x3f7fffff, text: "0.99999994" },
  { source: "std::to_chars: the last odd integer", bits: 0x4b7fffff, text: "16777215" },
  { source: "std::to_chars: 2^24", bits: 0x4b800000, text: "16777216" },
  { source: "std::to_chars: 2^25", bits: 0x4c000000, text: "33554432" },
  { source: "std::to_chars: 10^8", bits: 0x4cbebc20, text: "100000000" },
  { source: "std::to_chars: fewer digits than the integer has", bits: 0x4d0018f7, text: "134319980" },
  { source: "std::to_chars: 10^10", bits: 0x501502f9, text: "10000000000" },
  { source: "std::to_chars: 10^20, without an exponent", bits: 0x60ad78ec, text: "100000000000000000000" },
  { source: "std::to_chars: 10^21, with one", bits: 0x6258d727, text: "1e+21" },
  { source: "std::to_chars: 10^-7", bits: 0x33d6bf95, text: "1e-7" },
  // Powers of two: the neighbour below is half as far as the one above, so that the nearest decimal may miss.
  { source: "std::to_chars: 2^-96", bits: 0x0f800000, text: "1.2621775e-29" },
  { source: "std::to_chars: 2^87", bits: 0x6b000000, text: "1.5474251e+26" },
  { source: "std::to_chars: 2^90", bits: 0x6c800000, text: "1.2379401e+27" },
  { source: "std::to_chars: 2^-75", bits: 0x1a000000, text: "2.646978e-23" },
  { source: "std::to_chars: 2^127", bits: 0x7f000000, text: "1.7014118e+38" },
  { source: "std::to_chars: minus 2^-96", bits: 0x8f800000, text: "-1.2621775e-29" },
  // The ends of the range.
  { source: "std::to_chars: the greatest", bits: 0x7f7fffff, text: "3.4028235e+38" },
  { source: "std::to_chars: the least", bits: 0xff7fffff, text: "-3.4028235e+38" },
  { source: "std::to_chars: the smallest normal", bits: 0x00800000, text: "1.1754944e-38" },
  { source: "std::to_chars: the one after it", bits: 0x00800001, text: "1.1754945e-38" },
  { source: "std::to_chars: the greatest denormal", bits: 0x007fffff, text: "1.1754942e-38" },
  { source: "std::to_chars: the smallest", bits: 0x00000001, text: "1e-45" },
  { source: "std::to_chars: twice that", bits: 0x00000002, text: "3e-45" },
  { source: "std::to_chars: three times", bits: 0x00000003, text: "4e-45" },
  { source: "std::to_chars: minus the smallest", bits: 0x80000001, text: "-1e-45" },
  // The decimal 7.038531e-26 lies so near the middle of two float32 that its nearest double is that middle: strtof reads
  // 0x15ae43fd, a reader through a double 0x15ae43fe. It must not be published for either.
  { source: "std::to_chars", bits: 0x15ae43fc, text: "7.03853e-26" },
  {
    source: "one digit more than std::to_chars, which reads without a double",
    bits: 0x15ae43fd,
    text: "7.0385307e-26",
  },
  { source: "std::to_chars", bits: 0x15ae43fe, text: "7.0385313e-26" },
];
