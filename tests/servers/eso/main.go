// Command eso runs External Secrets Operator 0.16.2 for tests: the peer.
package main

import controller "github.com/external-secrets/external-secrets/cmd/controller"

func main() { controller.Execute() }
