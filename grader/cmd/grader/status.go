package main

import "github.com/spf13/cobra"

func newStatus(s *settings) *cobra.Command { return &cobra.Command{Use: "status"} }
