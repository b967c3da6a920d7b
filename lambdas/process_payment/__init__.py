"""The step *Process order payment*: charges the order's total by the environment's payment method."""
