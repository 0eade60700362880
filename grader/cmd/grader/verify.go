package main

import "github.com/spf13/cobra"

func newVerify(s *settings) *cobra.Command { return &cobra.Command{Use: "verify"} }
