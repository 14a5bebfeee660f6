import { describe, expect, it } from "vitest";
import { convert, layoutOf } from "../../../src/viewer/loading/frame-decoder";
import { isSoftware } from "../../../src/viewer/loading/renderer-choice";
import { frameUrl } from "../../../src/viewer/types";

const rgba = new Uint8ClampedArray([1, 2, 3, 255, 40, 50, 60, 255]);

describe("convert", () => {
  it("takes one channel of a grey picture", () => {
    expect([...convert(new Uint8ClampedArray([7, 7, 7, 255, 9, 9, 9, 255]), "grey")]).toEqual([7, 9]);
  });

  it("drops alpha for the GPU", () => {
    expect([...convert(rgba, "rgb")]).toEqual([1, 2, 3, 40, 50, 60]);
  });

  it("leaves all four channels for the CPU", () => {
    expect(convert(rgba, "rgba")).toBe(rgba);
  });
});

describe("layoutOf", () => {
  it.each([
    ["MONOCHROME2", true, "grey"],
    ["MONOCHROME1", false, "grey"],
    ["YBR_FULL_422", true, "rgba"],
    ["RGB", false, "rgb"],
    ["PALETTE COLOR", true, "rgba"],
  ] as const)("%s with cpu %s is %s", (photometric, cpu, layout) => {
    expect(layoutOf(photometric, cpu)).toBe(layout);
  });
});

describe("isSoftware", () => {
  it.each(["Google SwiftShader", "ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero)))", "llvmpipe (LLVM 15)"])(
    "knows %s",
    (name) => {
      expect(isSoftware(name)).toBe(true);
    },
  );

  it("takes a graphics card for one", () => {
    expect(isSoftware("ANGLE (NVIDIA, NVIDIA GeForce RTX 3060 Direct3D11)")).toBe(false);
  });
});

it("puts the frame's number into the address", () => {
  expect(frameUrl({ frame_url: "/api/v1/studies/1/clips/2/frames/{frame}/" }, 12)).toBe(
    "/api/v1/studies/1/clips/2/frames/12/",
  );
});
