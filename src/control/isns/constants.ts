/** What the messages of iSNS are called (RFC 4171 4.1.3). */
export const IsnsFunction = {
  register: 0x0001,
  query: 0x0002,
  deregister: 0x0004,
  registerNotices: 0x0005,
  deregisterNotices: 0x0006,
  /** State Change Notification: from the server. */
  notice: 0x0008,
  /** Entity Status Inquiry: from the server. */
  inquiry: 0x000d,
} as const;

/** An answer has the function of its request, and this bit. */
export const RESPONSE_BIT = 0x8000;

/** RFC 4171 5.1.4. */
export const IsnsFlag = {
  fromClient: 0x8000,
  fromServer: 0x4000,
  authenticated: 0x2000,
  /** Of a registration: what the entity had before is forgotten. */
  replace: 0x1000,
  last: 0x0800,
  first: 0x0400,
} as const;

/** Attributes (RFC 4171 6.1). */
export const IsnsTag = {
  delimiter: 0,
  entity: 1,
  entityProtocol: 2,
  timestamp: 4,
  registrationPeriod: 6,
  portalAddress: 16,
  portalPort: 17,
  inquiryInterval: 19,
  inquiryPort: 20,
  noticePort: 23,
  node: 32,
  nodeType: 33,
  alias: 34,
  noticeBitmap: 35,
  groupNode: 48,
  groupAddress: 49,
  groupPort: 50,
  groupTag: 51,
} as const;

/** Of {@link IsnsTag.entityProtocol}. */
export const PROTOCOL_ISCSI = 2;

/** Bits of {@link IsnsTag.nodeType}. */
export const NodeType = { target: 1, initiator: 2 } as const;

/** Bits of {@link IsnsTag.noticeBitmap}. */
export const Notice = {
  objectUpdated: 0x04,
  objectAdded: 0x08,
  objectRemoved: 0x10,
  aboutInitiators: 0x80,
} as const;

/** RFC 4171 5.4. */
export const IsnsStatus = {
  successful: 0,
  messageFormat: 2,
  noSuchEntry: 9,
  functionUnsupported: 15,
  inquiriesUnavailable: 21,
} as const;
