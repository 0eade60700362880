package main

import "github.com/spf13/cobra"

func newNew(s *settings) *cobra.Command { return &cobra.Command{Use: "new"} }
