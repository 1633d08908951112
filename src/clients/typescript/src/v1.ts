/** The generated code: services and messages of `doorward.v1`. */
export * from "./gen/doorward/v1/app_pb.js";
export * from "./gen/doorward/v1/app_service_pb.js";
export * from "./gen/doorward/v1/audit_service_pb.js";
export * from "./gen/doorward/v1/error_reason_pb.js";
export * from "./gen/doorward/v1/policy_update_pb.js";
export * from "./gen/doorward/v1/replica_service_pb.js";
export * from "./gen/doorward/v1/role_pb.js";
export * from "./gen/doorward/v1/session_service_pb.js";
export * from "./gen/doorward/v1/token_pb.js";
export * from "./gen/doorward/v1/token_service_pb.js";
