"""EC2: the network resources that CloudFormation makes and MiniStack's cannot."""
