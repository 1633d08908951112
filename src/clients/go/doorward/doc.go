// Package doorward is a client of Doorward: scoped tokens to AI apps that run behind Envoy.
//
//	client, err := doorward.New("127.0.0.1:8081", doorward.Config{Token: token})
//	if err != nil {
//		return err
//	}
//	defer client.Close()
//	for app, err := range client.Apps.All(ctx, &doorwardv1.ListAppsRequest{LabelSelector: "group=A"}) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(app.GetDisplayName(), app.GetStatus().GetUrl())
//	}
//
// A service of the client is the generated one of package doorwardv1, over a connection that adds the token, a
// deadline, repeats where they do no harm, and errors of the type [Error]. Beyond the calls themselves there
// are iterators over lists ([Apps.All] and its like) and [Apps.Wait].
package doorward
