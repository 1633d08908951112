/**
 * A client of Doorward: scoped tokens to AI apps that run behind Envoy.
 *
 * <pre>{@code
 * try (Client client = Client.builder("127.0.0.1:8081").token(token).build()) {
 *   ListAppsRequest request = ListAppsRequest.newBuilder().setLabelSelector("group=A").build();
 *   for (App app : client.apps().all(request)) {
 *     System.out.println(app.getDisplayName() + " " + app.getStatus().getUrl());
 *   }
 * }
 * }</pre>
 */
package dev.doorward;
