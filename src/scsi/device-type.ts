/** PERIPHERAL DEVICE TYPE of the units that there are (SPC-4 table 144). */
export const DeviceType = {
  directAccessBlock: 0x00,
  storageArrayController: 0x0c,
} as const;
export type DeviceType = (typeof DeviceType)[keyof typeof DeviceType];
