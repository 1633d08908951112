package dev.doorward;

import dev.doorward.v1.ListReplicasRequest;
import dev.doorward.v1.ListReplicasResponse;
import dev.doorward.v1.ReplicaServiceGrpc;

/** How current each check replica is. Needs ADMIN. Every method throws {@link DoorwardException} when its call fails. */
public final class Replicas {
  private final Calls calls;

  Replicas(Calls calls) {
    this.calls = calls;
  }

  /** Lists the replicas that are connected or may still decide. */
  public ListReplicasResponse listReplicas(ListReplicasRequest request) {
    return calls.unary(ReplicaServiceGrpc.getListReplicasMethod(), request);
  }
}
