// One of the dependencies carries a certificate with a negative serial number, which Go refuses since 1.23.
//go:debug x509negativeserial=1

// Command vault runs HashiCorp Vault 1.13.1 for tests.
package main

import (
	"os"

	"github.com/hashicorp/vault/command"
)

func main() { os.Exit(command.Run(os.Args[1:])) }
